import { expect } from 'chai';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { contentKey, isVolatile, type KeyId, rootKey } from '../../../core/solver/keys/key-id.js';
import { KeyStore } from '../../../core/solver/keys/key-store.js';
import { type InputKeys, type OriginName, originName } from '../../../core/solver/keys/link.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';

const step = sha256('step');
const origin = (from: KeyId, input = 0, selector?: Digest): OriginName =>
  originName({ from, link: { input, step, selector } });
const byDefinition = (...definitions: OriginName[]): InputKeys => ({ definitions, content: undefined });

describe('key ids', () => {
  const digest: Digest = 'sha256:3f26c3d833998cf2c41b835f16b10ef5ba0cbd1b5fd3e84a18c2b219a6d4c966';

  it('of steps without inputs are those of BuildKit', () => {
    expect([rootKey(digest, 0), rootKey(digest, 1), rootKey(digest, -1)]).to.deep.equal([
      'sha256:6f66852082e0c149b8742516d42efb1ea36a7ada4043fb3f1e3f488a9d9eb39f',
      'sha256:375671d86dd89ebbeecc17b3fd00cd5cbf3967e717e906baa299541588942675',
      'sha256:4102cde1987ae6d2913ea31084e80ac842755589f6e8f1faebe4b0d14f6e3d2d',
    ]);
  });

  it('of contents are those of BuildKit', () => {
    const content: Digest = 'sha256:286f4db492f491f7b3f357be9b60a4964ab5322915dda76c7810107aa9e116c3';
    expect(contentKey(content)).to.equal(
      'sha256:c24a47b576469b52903dd7e5045a62fee5855b447dee1771d67b829458d2c08e',
    );
  });

  it('keep a random digest, and tell its outputs apart', () => {
    expect([rootKey('random:0123abcd', 0), rootKey('random:0123abcd', 3)]).to.deep.equal([
      'random:0123abcd',
      'random:0123abcd-3',
    ]);
    expect(isVolatile(rootKey('random:0123abcd', 3))).to.equal(true);
  });
});

describe('key store', () => {
  let kv: MemoryKv;
  let keys: KeyStore;
  beforeEach(() => {
    kv = new MemoryKv();
    keys = new KeyStore(kv);
  });
  const rows = (): number =>
    ['links', 'results', 'origins', 'holders']
      .map((name) => [...kv.table(`solver.${name}`).entries()].length)
      .reduce((sum, count) => sum + count, 0);

  it('gives equal inputs the same key', async () => {
    const inputs = [byDefinition(origin('a', 0)), byDefinition(origin('b', 1))];
    const key = keys.resolve(inputs);
    await keys.link([byDefinition(origin('a', 0), origin('b', 1))], key);
    expect(keys.resolve(inputs)).to.equal(key);
  });

  it('gives a new key when only some inputs are the same', async () => {
    const key = keys.resolve([byDefinition(origin('a', 0)), byDefinition(origin('b', 1))]);
    await keys.link([byDefinition(origin('a', 0), origin('b', 1))], key);
    expect(keys.resolve([byDefinition(origin('a', 0)), byDefinition(origin('c', 1))])).not.to.equal(key);
  });

  it('finds a key by any definition of an input', async () => {
    await keys.link([byDefinition(origin('a', 0))], 'key');
    expect(keys.resolve([byDefinition(origin('z', 0), origin('a', 0))])).to.equal('key');
  });

  it('trusts contents more than definitions', async () => {
    await keys.link([byDefinition(origin('a', 0), origin('old content', 0))], 'key');
    const inputs = [{ definitions: [origin('a', 0)], content: origin('new content', 0) }];
    expect(keys.resolve(inputs)).not.to.equal('key');
    expect(keys.resolve([{ definitions: [origin('z', 0)], content: origin('old content', 0) }])).to.equal(
      'key',
    );
  });

  it('tells inputs, steps and selectors apart', async () => {
    await keys.link([byDefinition(origin('a', 0, sha256('x')))], 'key');
    expect(keys.targets(origin('a', 0, sha256('x')))).to.deep.equal(['key']);
    expect(keys.targets(origin('a', 0))).to.deep.equal([]);
    expect(keys.targets(origin('a', 1, sha256('x')))).to.deep.equal([]);
  });

  it('answers the newest result first', async () => {
    await keys.addResult(['key'], { id: 'new', createdAt: 2 });
    await keys.addResult(['key'], { id: 'old', createdAt: 1 });
    expect(keys.results('key').map(({ id }) => id)).to.deep.equal(['new', 'old']);
  });

  it('keeps two results of a key and says which one it dropped', async () => {
    await keys.addResult(['key'], { id: 'r1', createdAt: 1 });
    await keys.addResult(['key'], { id: 'r2', createdAt: 2 });
    expect(await keys.addResult(['key'], { id: 'r3', createdAt: 3 })).to.deep.equal(['r1']);
    expect(keys.results('key').map(({ id }) => id)).to.deep.equal(['r3', 'r2']);
    expect([...keys.resultIds()]).to.have.members(['r2', 'r3']);
  });

  it('stores nothing about random keys', async () => {
    const key = keys.resolve([byDefinition(origin('random:a', 0))]);
    await keys.link([byDefinition(origin('random:a', 0))], key);
    await keys.link([byDefinition(origin('random:a', 0))], 'key');
    await keys.addResult([key], { id: 'r', createdAt: 1 });
    expect([isVolatile(key), rows()]).to.deep.equal([true, 0]);
  });

  it('stores a key that something lasting leads to as well', async () => {
    const inputs = [{ definitions: [origin('random:a', 0)], content: origin('content', 0) }];
    expect(isVolatile(keys.resolve(inputs))).to.equal(false);
  });

  it('survives a restart', async () => {
    await keys.link([byDefinition(origin('a', 0))], 'key');
    await keys.addResult(['key'], { id: 'r', createdAt: 1 });
    const again = new KeyStore(kv);
    expect([again.targets(origin('a', 0)), again.results('key')]).to.deep.equal([
      ['key'],
      [{ id: 'r', createdAt: 1 }],
    ]);
  });

  it('forgets a result, and the keys that have no use without it', async () => {
    await keys.addResult(['root'], { id: 'r0', createdAt: 1 });
    await keys.link([byDefinition(origin('root', 0))], 'middle');
    await keys.link([byDefinition(origin('middle', 0))], 'top');
    await keys.addResult(['top'], { id: 'r2', createdAt: 1 });
    await keys.forget('r0');
    expect(keys.targets(origin('root', 0))).to.deep.equal(['middle']);
    await keys.forget('r2');
    expect(rows()).to.equal(0);
  });

  it('keeps a key that leads on to a result', async () => {
    await keys.link([byDefinition(origin('root', 0))], 'left');
    await keys.link([byDefinition(origin('root', 1))], 'right');
    await keys.addResult(['left'], { id: 'l', createdAt: 1 });
    await keys.addResult(['right'], { id: 'r', createdAt: 1 });
    await keys.forget('l');
    expect([keys.targets(origin('root', 0)), keys.targets(origin('root', 1))]).to.deep.equal([[], ['right']]);
  });

  it('forgets keys that came to nothing, and what led to them alone', async () => {
    await keys.link([byDefinition(origin('root', 0))], 'middle');
    await keys.link([byDefinition(origin('middle', 0))], 'top');
    await keys.link([byDefinition(origin('root', 1))], 'proven');
    await keys.addResult(['proven'], { id: 'r', createdAt: 1 });
    await keys.forgetUnproven();
    expect([keys.targets(origin('root', 0)), keys.targets(origin('root', 1))]).to.deep.equal([
      [],
      ['proven'],
    ]);
    await keys.forget('r');
    expect(rows()).to.equal(0);
  });

  it('forgets keys that came to nothing in another process', async () => {
    await keys.link([byDefinition(origin('root', 0))], 'key');
    const again = new KeyStore(kv);
    await again.forgetUnproven();
    expect([...again.useless()]).to.deep.equal(['key']);
    again.doubtAll();
    await again.forgetUnproven();
    expect(rows()).to.equal(0);
  });

  it('forgets chains of any depth', async () => {
    for (let i = 0; i < 3000; i++) await keys.link([byDefinition(origin(`k${i}`, 0))], `k${i + 1}`);
    await keys.addResult(['k3000'], { id: 'r', createdAt: 1 });
    await keys.forget('r');
    expect(rows()).to.equal(0);
  }).timeout(20_000);
});
