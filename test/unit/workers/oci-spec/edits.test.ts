import { expect } from 'chai';
import type { ContainerEdits } from '../../../../core/contracts/devices.js';
import { editMount, withEdits } from '../../../../plugins/workers/shared/oci-spec/edits.js';
import { allMeans } from '../../../../plugins/workers/shared/oci-spec/host-means.js';
import type { OciSpec } from '../../../../plugins/workers/shared/oci-spec/types.js';

const mount = (destination: string) => ({ destination, type: 'bind', source: '/', options: [] });
const spec: OciSpec = {
  ociVersion: '1',
  process: {
    terminal: false,
    user: { uid: 5, gid: 0, additionalGids: [7] },
    args: [],
    env: ['PATH=/bin', 'A=1'],
    cwd: '/',
    capabilities: {},
    rlimits: [],
    noNewPrivileges: false,
  },
  root: { path: '/', readonly: false },
  hostname: '',
  mounts: [mount('/a/b/c'), mount('/a/b'), mount('/x')],
  linux: {
    namespaces: [],
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    devices: [{ path: '/dev/kvm', type: 'c', major: 10, minor: 232 }],
    maskedPaths: [],
    readonlyPaths: [],
  },
};
const nothing: ContainerEdits = { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] };

describe('withEdits', () => {
  it('changes nothing for a device that needs nothing', () => {
    expect(withEdits(spec, nothing)).to.deep.equal(spec);
  });

  it('puts variables over those of the step', () => {
    expect(withEdits(spec, { ...nothing, env: ['B=2', 'PATH=/x'] }).process.env).to.deep.equal([
      'PATH=/x',
      'A=1',
      'B=2',
    ]);
  });

  it('makes nodes for the user of the step, allows them, and replaces those at their place', () => {
    const node = { hostPath: '/dev/null', type: 'c', major: 1, minor: 3, permissions: 'rw' } as const;
    const deviceNodes = [
      { ...node, path: '/dev/kvm', gid: 9 },
      { ...node, path: '/dev/pipe', type: 'p' as const, uid: 1 },
    ];
    const { linux } = withEdits(spec, { ...nothing, deviceNodes });
    expect(linux.devices).to.deep.equal([
      { path: '/dev/kvm', type: 'c', major: 1, minor: 3, uid: 5, gid: 9 },
      { path: '/dev/pipe', type: 'p', major: 1, minor: 3, uid: 1 },
    ]);
    expect(linux.resources?.devices).to.deep.equal([
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
    ]);
  });

  it('binds nodes of the machine where none can be made', () => {
    const node = {
      path: '/dev/x',
      hostPath: '/dev/null',
      type: 'c',
      major: 1,
      minor: 3,
      permissions: 'rwm',
    } as const;
    const edited = withEdits(spec, { ...nothing, deviceNodes: [node] }, { ...allMeans, deviceNodes: false });
    expect(edited.mounts.at(-1)).to.deep.equal({
      destination: '/dev/x',
      type: 'bind',
      source: '/dev/null',
      options: ['bind'],
    });
    expect(edited.linux).to.deep.equal(spec.linux);
  });

  it('adds groups once, hooks by name, and classes of the cache', () => {
    const edited = withEdits(spec, {
      ...nothing,
      additionalGids: [7, 8],
      hooks: [
        { hookName: 'createContainer', path: '/a' },
        { hookName: 'poststop', path: '/b', args: ['b'] },
        { hookName: 'createContainer', path: '/c', timeout: 3 },
      ],
      intelRdt: { closID: 'x' },
    });
    expect(edited.process.user.additionalGids).to.deep.equal([7, 8]);
    expect(edited.hooks).to.deep.equal({
      createContainer: [{ path: '/a' }, { path: '/c', timeout: 3 }],
      poststop: [{ path: '/b', args: ['b'] }],
    });
    expect(edited.linux.intelRdt).to.deep.equal({ closID: 'x' });
  });

  it('orders mounts by their depth once a device has some', () => {
    const mounts = [{ hostPath: '/h', containerPath: '/x', options: [], type: '' }];
    const places = withEdits(spec, { ...nothing, mounts }).mounts.map(({ destination }) => destination);
    expect(places).to.deep.equal(['/x', '/a/b', '/a/b/c']);
  });

  it('binds mounts that do not say what they are', () => {
    const plain = { hostPath: '/h', containerPath: '/x', options: ['ro'], type: '' };
    expect(editMount(plain)).to.deep.equal({
      destination: '/x',
      source: '/h',
      type: 'bind',
      options: ['rbind', 'ro'],
    });
    expect(editMount({ ...plain, options: ['bind'] }).options).to.deep.equal(['bind']);
    expect(editMount({ ...plain, type: 'tmpfs' })).to.deep.include({ type: 'tmpfs', options: ['ro'] });
  });
});
