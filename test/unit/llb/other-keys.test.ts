import { expect } from 'chai';
import { contentKey } from '../../../core/llb/content-selectors.js';
import { buildKey, diffKey, mergeKey } from '../../../core/llb/keys/graph-keys.js';
import { sourceKey } from '../../../core/llb/keys/source-key.js';
import { body } from './ops.js';

describe('keys of merge, diff and build ops agree with BuildKit', () => {
  it('merge', () =>
    expect(mergeKey(body('merge', { merge: { inputs: [{ input: 0 }, { input: 1 }] } }, 2))).to.equal(
      'sha256:436287a2dc2ce494f564331be9ea3a9f27ebec398567877043da2f618f33d6c8',
    ));
  it('diff 0 to 1', () =>
    expect(diffKey(body('diff', { diff: { lower: { input: 0 }, upper: { input: 1 } } }, 2))).to.equal(
      'sha256:164ae6dac10aea8de6cb7cda35914a10011485523f807ea840bca3e0ab19d8ff',
    ));
  it('diff scratch to 0', () =>
    expect(diffKey(body('diff', { diff: { lower: { input: -1 }, upper: { input: 0 } } }, 1))).to.equal(
      'sha256:f5284a0f1782a8c2cdb29841228c32706cbf04332ad37c3c7cb41659c6eeba0a',
    ));
  it('build', () => {
    const build = {
      builder: -1,
      inputs: { 'buildkit.llb.definition': { input: 0 } },
      attrs: { b: '2', a: '1' },
    };
    expect(buildKey(body('build', { build }, 1))).to.equal(
      'sha256:6c3b28e809630aedd2dc403401bfd10806fedb967945ed5fa9345581b9d541b7',
    );
  });
});

// Wire facts G2.
describe('sourceKey', () => {
  const goldens: readonly [key: string, digest: string][] = [
    [
      'sha256:d47deaad53d1622c98b26461303d2f1c29f3f61421f6152cbfa21dd146732657',
      'sha256:d5015e3d872f785711d07399fa7aec8e2640744db8569805e47f0a8644ae288f',
    ],
    [
      'sha256:016e4b4a40a887c019c1ddde97e55668f7fb97ee270f8cdbcda2067461da73eb',
      'sha256:803affc427f39d294e1553840f6f222e255870ef0fc3492c0b5c1afd5d2cdf26',
    ],
    [
      'sha256:e79ab990379dacfdaf36e8b00fce2d37d898d81e79cdb02f7103c6cf79a3b3b3',
      'sha256:8684ebc8d8f1acb9c1586306a92e3cf9fbb2e03e4d87251a89ac4a2793c5b5ff',
    ],
    [
      '4c93cfdd5f258c6ce29aed4e8e3f7b93f3d1e82c',
      'sha256:9a53552e21cc8139ad77cf052af16139151725a30aca24a81a453e30ee5def4b',
    ],
    [
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.git#refs/heads/main:sub',
      'sha256:5dba357154f2b1043b7b77c33a102378c48a585532d936f36d8c07814587a30a',
    ],
    [
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(skip-submodules)(mtime=commit)(bundle)',
      'sha256:6e93cdcaed998185e592020af123950225a51e18bd6ce250eb64c5e6c22fbf98',
    ],
    [
      'sha256:270b08b825223049fc468891e456b5b9a731ea1be9eeeba5f70f6aaea35f6de6',
      'sha256:c12576e4fe35a6204068466b561a3d992fd35073b7f2538ec2954c00db98aa5c',
    ],
    [
      'sha256:a5d22e406809c546a4d57501f595513fa1b289641fb3bb5264128dc78bff4670',
      'sha256:4ffbb1394a28c4346c933cf88b6bb6d9ed3a2bbc7357b627a374addbb5508bfb',
    ],
    [
      'session:context:sha256:c669838b072799d3f7beb8989ca71769db4da2b65beb54da480bfdff43ede4c1',
      'random:f641bf35f3b2fdaeb83736de11025549965e8ad35534db7bf869686214cfb74d',
    ],
  ];
  for (const [key, digest] of goldens) {
    it(`of ${key} agrees with BuildKit`, () => expect(sourceKey(key)).to.equal(digest));
  }
});

// Wire facts G3, last line.
it('contentKey hashes a single digest too', () => {
  expect(contentKey(['sha256:09eefdc91e8894bc767daae7daa5a4e8cbf396610f10ae20604d9086c76d4a93'])).to.equal(
    'sha256:286f4db492f491f7b3f357be9b60a4964ab5322915dda76c7810107aa9e116c3',
  );
});
