import { expect } from 'chai';
import { defaultPaths, isOrdinaryUser, type Person, systemPaths } from '../../../core/util/default-paths.js';

const root: Person = { env: { USER: 'root', HOME: '/root' }, uid: 0, realUid: 0, nested: false };
const mapped: Person = { env: { USER: 'ann', HOME: '/home/ann' }, uid: 0, realUid: 1000, nested: true };

describe('isOrdinaryUser', () => {
  it('is everybody but root', () => {
    expect(isOrdinaryUser(root)).to.equal(false);
    expect(isOrdinaryUser({ ...root, uid: 1000 })).to.equal(true);
  });

  it('is the root of a user namespace, if a user has made it for oneself', () => {
    expect(isOrdinaryUser(mapped)).to.equal(true);
    expect(isOrdinaryUser({ ...root, nested: true })).to.equal(false);
    expect(isOrdinaryUser({ ...root, nested: true, env: {} })).to.equal(false);
    const rootlesskit = { USER: 'root', ROOTLESSKIT_STATE_DIR: '/tmp/state' };
    expect(isOrdinaryUser({ ...root, nested: true, env: rootlesskit })).to.equal(true);
  });
});

describe('defaultPaths', () => {
  it("are the machine's for root, and for whoever says so", () => {
    expect(defaultPaths(root)).to.equal(systemPaths);
    expect(defaultPaths(mapped, false)).to.equal(systemPaths);
  });

  it("are a user's own, below the home without the variables of XDG", () => {
    expect(defaultPaths(mapped)).to.deep.equal({
      root: '/home/ann/.local/share/buildkit',
      socket: '/run/user/1000/buildkit/buildkitd.sock',
      config: '/home/ann/.config/buildkit/buildkitd.toml',
      cniConfig: '/home/ann/.config/buildkit/cni.json',
    });
  });

  it('follow the variables of XDG, the first folder of each', () => {
    const xdg = { XDG_DATA_HOME: '/data:/more', XDG_RUNTIME_DIR: '/run/ann', XDG_CONFIG_HOME: '/config' };
    expect(defaultPaths({ ...mapped, env: { ...mapped.env, ...xdg } })).to.deep.equal({
      root: '/data/buildkit',
      socket: '/run/ann/buildkit/buildkitd.sock',
      config: '/config/buildkit/buildkitd.toml',
      cniConfig: '/config/buildkit/cni.json',
    });
  });
});
