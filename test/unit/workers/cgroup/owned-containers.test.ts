import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import {
  leftIn,
  OwnedContainers,
} from '../../../../plugins/workers/shared/container-host/owned-containers.js';

describe('OwnedContainers', () => {
  it('leaves in its file what was begun and not ended', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'owned-'));
    const owned = new OwnedContainers(dir, '1');
    for (const id of ['a', 'b', 'c']) owned.add(id, `/p q/buildkit/${id}`);
    owned.remove('b');
    expect(leftIn(fs.readFileSync(path.join(dir, 'containers-1'), 'utf8'))).to.deep.equal([
      '/p q/buildkit/a',
      '/p q/buildkit/c',
    ]);
    for (const id of ['a', 'c']) owned.remove(id);
    owned.close();
    expect(fs.readdirSync(dir)).to.deep.equal([]);
    fs.rmdirSync(dir);
  });

  it('does not grow for ever', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'owned-'));
    const owned = new OwnedContainers(dir, '1');
    for (let at = 0; at < 3000; at++) {
      owned.add(`id-${at}`, `/buildkit/id-${at}`);
      owned.remove(`id-${at}`);
    }
    expect(fs.statSync(path.join(dir, 'containers-1')).size).to.be.below(1 << 17);
    owned.close();
    fs.rmdirSync(dir);
  });

  it('believes only whole lines that name a container', () => {
    expect(leftIn('+ a /buildkit/a\n+ b /\n+ c /buildkit/d\n+ e /buildkit/e')).to.deep.equal(['/buildkit/a']);
  });
});
