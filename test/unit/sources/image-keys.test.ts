import { expect } from 'chai';
import type { Digest } from '../../../core/util/digest.js';
import { contentKey, manifestKey } from '../../../plugins/sources/shared/image-keys.js';

describe('image cache keys', () => {
  it('take resolved digest and platform first', () => {
    const digest = 'sha256:ce3f267c516de0301410add3b1367c0e988aa7db5994ffd8d7cc989fb137abc9';
    expect(manifestKey(digest, { os: 'linux', architecture: 'amd64' }, undefined)).to.equal(
      'sha256:d47deaad53d1622c98b26461303d2f1c29f3f61421f6152cbfa21dd146732657',
    );
  });

  it('include variant and layer limit', () => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
    expect(manifestKey(`sha256:${'c'.repeat(64)}`, platform, 1)).to.equal(
      'sha256:e79ab990379dacfdaf36e8b00fce2d37d898d81e79cdb02f7103c6cf79a3b3b3',
    );
  });

  it('then take the chain of layers', () => {
    const diffIds: Digest[] = [
      'sha256:0ba39a02a1af5fa463c340b029b36a9993eb1da822716079781c350d5cce5f84',
      'sha256:55a7e0ac2b29b78b631dbca839beea78810b1f5ac85ac1d30eda883671eb5594',
    ];
    expect(contentKey(diffIds)).to.equal(
      'sha256:016e4b4a40a887c019c1ddde97e55668f7fb97ee270f8cdbcda2067461da73eb',
    );
    expect(contentKey([])).to.equal(undefined);
  });
});
