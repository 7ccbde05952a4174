import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Mount } from '../../../../core/contracts/mount.js';
import { StubLayer } from '../../../../plugins/workers/shared/mounts/stub-layer.js';

describe('StubLayer', () => {
  let dir: string;
  let stubs: StubLayer;
  before(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'stub-layer-'));
    stubs = new StubLayer(path.join(dir, 'stubs'), ['/etc/hosts', '/etc/resolv.conf']);
    fs.mkdirSync(path.join(dir, 'lower'));
  });
  after(() => fs.rmSync(dir, { recursive: true }));

  const overlay = (...options: readonly string[]): Mount => ({ type: 'overlay', source: 'overlay', options });

  it('has an empty file for every mount point, and is made once', () => {
    const again = new StubLayer(path.join(dir, 'stubs'), ['/etc/hosts']);
    expect(again).to.be.an.instanceOf(StubLayer);
    expect(fs.readdirSync(path.join(dir, 'stubs/etc'))).to.deep.equal(['hosts', 'resolv.conf']);
  });

  it('goes below the lowest layer of an overlay', () => {
    const lower = path.join(dir, 'lower');
    expect(stubs.below([overlay('index=off', `lowerdir=/top:${lower}`, 'upperdir=/u')])).to.deep.equal([
      overlay('index=off', `lowerdir=/top:${lower}:${path.join(dir, 'stubs')}`, 'upperdir=/u'),
    ]);
  });

  it('leaves alone what is no overlay, and layers on another file system', () => {
    const bind: Mount = { type: 'bind', source: '/x', options: ['rw'] };
    const elsewhere = overlay('lowerdir=/proc');
    expect(stubs.below([bind, elsewhere])).to.deep.equal([bind, elsewhere]);
  });
});
