import { expect } from 'chai';
import { isRootless } from '../../../../plugins/workers/runc/rootless.js';

describe('isRootless', () => {
  const root = { uid: 0, nested: false };

  it('follows the namespace, unless the configuration says it', () => {
    expect(isRootless({ noProcessSandbox: false }, root)).to.equal(false);
    expect(isRootless({ noProcessSandbox: false }, { ...root, nested: true })).to.equal(true);
    expect(isRootless({ noProcessSandbox: false, rootless: true }, root)).to.equal(true);
    expect(isRootless({ noProcessSandbox: true, rootless: true }, root)).to.equal(true);
  });

  it('takes nobody but root, of whatever namespace', () => {
    expect(() => isRootless({ noProcessSandbox: false }, { uid: 1000, nested: false })).to.throw(
      /needs root/,
    );
  });

  it('refuses real root to go without a process sandbox', () => {
    expect(() => isRootless({ noProcessSandbox: true }, root)).to.throw(/rootless mode only/);
  });
});
