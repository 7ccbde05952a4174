import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { listXattrs } from '../../../../../core/util/linux/xattr.js';
import { setXattrs } from '../../../../../core/util/tree/metadata.js';
import { makeTempDir } from '../../../../support/trees.js';

describe('setXattrs', () => {
  const dir = makeTempDir();
  after(() => fs.rmSync(dir, { recursive: true }));

  it('sets what an archive brings, but no marks of overlayfs', () => {
    const file = path.join(dir, 'file');
    fs.writeFileSync(file, '');
    const yes = Buffer.from('y');
    setXattrs(file, {
      'user.a': yes,
      'user.overlay.opaque': yes,
      'trusted.overlay.redirect': yes,
      'nonsense without a namespace': yes,
    });
    expect(listXattrs(file)).to.deep.equal(['user.a']);
  });
});
