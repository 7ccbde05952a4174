import { expect } from 'chai';
import { copy, local, marshal, scratch } from '../../../client/llb/index.js';
import { hexOf, sha256 } from '../../../core/util/digest.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('llb marshal', () => {
  it('writes a copy from a local source as Go does, byte for byte', () => {
    const context = local('ctx', { includePatterns: ['a.txt'] });
    const state = scratch().file(copy(context, '/a.txt', '/x/', { createDestPath: false }), { name: 'copy' });
    const definition = marshal(state, { localUniqueId: 'u' });
    expect(definition.def.map(hex)).to.deep.equal([
      '5a001a430a0b6c6f63616c3a2f2f63747812210a146c6f63616c2e696e636c7564657061747465726e12095b22612e747874225d12110a0c6c6f63616c2e756e69717565120175',
      '0a490a477368613235363a383935633663336365623139393161613839303238303065346662373235643561386365353233343265393864666336623039656233313839383566363663365a002232123008ffffffffffffffffff0122230a062f612e74787412032f782f20ffffffffffffffffff0158ffffffffffffffffff01',
      '0a490a477368613235363a35383133663365313837393830323635353836666333663937363831356365323366323032366163353537316262346432353066636131373735306137633664',
    ]);
    expect(definition.def.map((op) => definition.metadata.get(sha256(op)))).to.deep.equal([
      {
        ignoreCache: false,
        description: {},
        caps: ['source.local', 'source.local.includepatterns', 'source.local.unique'],
      },
      { ignoreCache: false, description: { 'llb.customname': 'copy' }, caps: ['file.base'] },
      { ignoreCache: false, description: {}, caps: ['constraints', 'meta.description', 'platform'] },
    ]);
  });

  it('writes the attributes of a local source sorted', () => {
    const state = local('context', { followPaths: ['a'], differ: { type: 'none' } });
    const [op] = marshal(state, { localUniqueId: 'u' }).def;
    expect(hexOf(sha256(op!))).to.equal('62305c414dd607826e6f221b201382256c861c0ac98cca12d4f4a4713d87ac1c');
  });

  it('writes the empty tree as an empty definition', () => {
    expect(marshal(scratch())).to.deep.equal({ def: [], metadata: new Map() });
  });
});
