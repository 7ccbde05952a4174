import fs from 'node:fs';
import { expect } from 'chai';
import { silentProgress } from '../../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../../core/contracts/refs.js';
import { everything, RefStoreHome } from '../../../support/ref-store-home.js';
import { makeTempDir } from '../../../support/trees.js';

const never = new AbortController().signal;
const described = { description: 'composed' };
describe('merged and different trees', () => {
  let dir: string;
  let home: RefStoreHome;
  let [a, b, onA]: ImmutableRef[] = [];
  beforeEach(async () => {
    dir = makeTempDir();
    home = await RefStoreHome.open(dir);
    a = await home.commit(undefined, { a: '1' });
    b = await home.commit(undefined, { b: '2' });
    onA = await home.commit(a, { c: '3' });
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  const snapshots = async (): Promise<number> => (await home.snapshotter.list()).length;
  const merge = async (...inputs: readonly (ImmutableRef | undefined)[]): Promise<ImmutableRef> =>
    (await home.refs.merge(inputs, described))!;

  it('are made when somebody looks, and then kept', async () => {
    const merged = await merge(a, b);
    expect([merged.lazy, await snapshots()]).to.deep.equal([true, 3]);
    expect(await home.files(merged)).to.deep.equal({ a: '1', b: '2' });
    expect([merged.lazy, await snapshots()]).to.deep.equal([false, 4]);
    await home.files(merged);
    expect(await snapshots()).to.equal(4);
  });

  it('are made once for several who look at once', async () => {
    const merged = await merge(a, b);
    await Promise.all([home.files(merged), home.files(merged), home.commit(merged, { d: '4' })]);
    expect(await snapshots()).to.equal(5);
  });

  it('are not made for a merge of merges', async () => {
    const inner = await merge(a, b);
    const outer = await merge(inner, onA);
    expect(await home.files(outer)).to.deep.equal({ a: '1', b: '2', c: '3' });
    expect([inner.lazy, await snapshots()]).to.deep.equal([true, 4]);
  });

  it('stand on the snapshot of their first input', async () => {
    const merged = await merge(onA, b);
    await home.files(merged);
    const snapshot = await home.snapshotter.stat(merged.id);
    expect(snapshot?.parent).to.equal(onA!.id);
  });

  it('are an input itself when there is only one', async () => {
    expect((await merge(undefined, b)).id).to.equal(b!.id);
    expect(await home.refs.merge([undefined], described)).to.equal(undefined);
    expect((await home.refs.diff(undefined, b, described))!.id).to.equal(b!.id);
    expect(await home.refs.diff(b, b, described)).to.equal(undefined);
  });

  it('have the layers of their inputs, whose blobs are made once', async () => {
    const options = { compression: { type: 'gzip' }, mediaTypes: 'oci' } as const;
    const digests = async (ref: ImmutableRef): Promise<readonly string[]> =>
      (await ref.layers(options, silentProgress, never)).layers.map(({ descriptor }) => descriptor.digest);
    const merged = await merge(b, onA);
    const between = (await home.refs.diff(a, onA, described))!;
    const all = [...(await digests(b!)), ...(await digests(onA!))];
    expect(await digests(merged)).to.deep.equal(all);
    expect(await digests(between)).to.deep.equal(all.slice(2));
    expect(home.differ.compared.length).to.equal(3);
    expect([merged.lazy, between.lazy]).to.deep.equal([true, true]);
  });

  it('name what they rest on, which stays as long as they do', async () => {
    const merged = await merge(onA, b);
    const { id } = merged;
    for (const ref of [a, b, onA]) await ref![Symbol.asyncDispose]();
    const [usage] = (await home.refs.usage([])).filter((record) => record.id === id);
    expect(usage!.parents).to.have.members([onA!.id, b!.id]);
    for await (const record of home.refs.prune(everything, never)) expect.fail(`${record.id} was removed`);
    await merged[Symbol.asyncDispose]();
    const gone: string[] = [];
    for await (const record of home.refs.prune(everything, never)) gone.push(record.id);
    expect(gone[0]).to.equal(id);
    expect(gone).to.have.members([id, a!.id, b!.id, onA!.id]);
  });

  it('are there after a restart, made or not', async () => {
    const [made, unmade] = [await merge(a, b), (await home.refs.diff(b, onA, described))!];
    await home.files(made);
    await home.refs[Symbol.asyncDispose]();
    const next = await RefStoreHome.open(dir, home.kv);
    const [again, other] = [await next.refs.get(made.id), await next.refs.get(unmade.id)];
    expect([again.lazy, other.lazy]).to.deep.equal([false, true]);
    expect(await next.files(again)).to.deep.equal({ a: '1', b: '2' });
    expect(await next.files(other)).to.deep.equal({ a: '1', c: '3' });
  });
});
