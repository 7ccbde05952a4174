import { expect } from 'chai';
import type { ProcessSpec } from '../../../../core/contracts/executor.js';
import {
  buildSpec,
  encodeSpec,
  type SpecHost,
  type SpecInput,
} from '../../../../plugins/workers/shared/oci-spec/build-spec.js';
import { allMeans } from '../../../../plugins/workers/shared/oci-spec/host-means.js';
import type { OciSpec } from '../../../../plugins/workers/shared/oci-spec/types.js';

const profile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  architectures: [],
  syscalls: [],
} as const;
const host: SpecHost = {
  means: allMeans,
  capabilities: ['CAP_CHOWN', 'CAP_SYS_ADMIN'],
  seccomp: { profile, annotations: { program: 'x' } },
  cgroupNamespace: false,
  apparmorProfile: 'builds',
  openFiles: undefined,
  rlimits: () => ({
    limits: 'Max open files            1024                 20000                files',
    mayRaise: false,
  }),
};

const build = (process: Partial<ProcessSpec> = {}, input: Partial<SpecInput> = {}, on = host): OciSpec =>
  buildSpec(
    {
      process: {
        args: ['true'],
        env: [],
        cwd: '/w',
        user: '',
        hostname: '',
        network: 'sandbox',
        security: 'sandbox',
        extraHosts: [],
        ulimits: [],
        cgroupParent: '',
        resources: {},
        removeMountStubsRecursive: false,
        ...process,
      },
      user: { uid: 1, gid: 2, additionalGids: [2] },
      root: { path: '/root', readonly: false },
      cgroupsPath: '/buildkit/x',
      network: 'host',
      mounts: [],
      ...input,
    },
    on,
  );

describe('buildSpec', () => {
  it('confines a step of the sandbox', () => {
    const { process, linux, annotations, hostname } = build();
    expect(process.capabilities.effective).to.include('CAP_NET_RAW').and.not.include('CAP_SYS_ADMIN');
    expect(process).to.deep.include({ cwd: '/w', noNewPrivileges: false, apparmorProfile: 'builds' });
    expect(process.capabilities).to.not.have.any.keys('ambient', 'inheritable');
    expect(linux.seccomp).to.equal(profile);
    expect(linux.maskedPaths).to.include('/proc/kcore');
    expect(linux.readonlyPaths).to.include('/proc/sys');
    expect(linux.resources).to.deep.equal({ devices: [{ allow: false, access: 'rwm' }] });
    expect(annotations).to.deep.equal({ program: 'x' });
    expect(hostname).to.equal('buildkitsandbox');
  });

  it('gives an insecure step all that the daemon has', () => {
    const { process, linux, annotations, mounts } = build({ security: 'insecure' });
    expect(process.capabilities.ambient).to.deep.equal(host.capabilities);
    expect(process).to.not.have.property('apparmorProfile');
    expect(linux).to.deep.include({ maskedPaths: [], readonlyPaths: [] }).and.not.have.property('seccomp');
    expect(linux.devices?.map(({ path }) => path)).to.include.members(['/dev/fuse', '/dev/loop0']);
    expect(annotations).to.equal(undefined);
    for (const place of ['/sys', '/sys/fs/cgroup']) {
      expect(mounts.find(({ destination }) => destination === place)?.options)
        .to.include('rw')
        .and.not.include('ro');
    }
  });

  it('makes a network namespace for a step that does not share the network', () => {
    const types = (spec: OciSpec): string[] => spec.linux.namespaces.map(({ type }) => type);
    expect(types(build())).to.deep.equal(['pid', 'ipc', 'uts', 'mount']);
    expect(types(build({}, { network: 'new' }))).to.include('network');
    expect(types(build({}, {}, { ...host, cgroupNamespace: true }))).to.include('cgroup');
  });

  it('lets the last mount of a place win, where the first one stood', () => {
    const shm = { destination: '/dev/shm', type: 'tmpfs', source: 'tmpfs', options: ['size=1'] };
    const last = { destination: '/x', type: 'bind', source: '/y', options: [] };
    const places = build({}, { mounts: [last, shm] }).mounts;
    expect(places.filter(({ destination }) => destination === '/dev/shm')).to.deep.equal([shm]);
    expect(places.indexOf(shm)).to.be.below(places.indexOf(last));
  });

  it('writes limits that no double can hold', () => {
    const unlimited = { ...host, rlimits: () => ({ limits: '', mayRaise: true }) };
    const spec = build({ ulimits: [{ name: 'core', soft: -1, hard: -1 }] }, {}, unlimited);
    expect(encodeSpec(spec)).to.include(
      '{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}',
    );
  });

  it('limits open files as the daemon was started, unless the step says otherwise', () => {
    const openFiles = { type: 'RLIMIT_NOFILE', soft: 1024n, hard: 20_000n };
    expect(build({}, {}, { ...host, openFiles }).process.rlimits).to.deep.equal([openFiles]);
    const ulimits = [{ name: 'nofile', soft: 5, hard: 6 }];
    expect(build({ ulimits }, {}, { ...host, openFiles }).process.rlimits).to.have.length(1);
  });

  it('leaves out the limits that nobody asked for', () => {
    const { linux } = build({ resources: { memory: 1 << 20, cpuQuota: 0, cpusetCpus: '0-1' } });
    expect(linux.resources).to.deep.include({ memory: { limit: 1 << 20 }, cpu: { cpus: '0-1' } });
  });

  it('refuses a limit over what this host may give', () => {
    const over = (): unknown => build({ ulimits: [{ name: 'nofile', soft: 1, hard: 20_001 }] });
    expect(over).to.throw("ulimit nofile=1:20001 is over this host's hard limit of 20000");
    expect(() => build({ ulimits: [{ name: 'nofile', soft: 2, hard: 1 }] })).to.throw(
      'over the hard limit 1',
    );
    expect(build({ ulimits: [{ name: 'nofile', soft: 1, hard: 20_000 }] }).process.rlimits).to.have.length(1);
  });
});
