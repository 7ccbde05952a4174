import { expect } from 'chai';
import { collectRecords } from '../../../../core/cache/collect.js';
import type { CacheRecord } from '../../../../core/contracts/cache.js';
import { notFound } from '../../../../core/contracts/errors.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import type { KeyChain } from '../../../../core/solver/key-chain.js';
import { contentKey, rootKey } from '../../../../core/solver/keys/key-id.js';
import { KeyStore } from '../../../../core/solver/keys/key-store.js';
import { originName } from '../../../../core/solver/keys/link.js';
import { sha256 } from '../../../../core/util/digest.js';
import { cacheLayers } from '../../../contract/cache.js';
import { Bench } from '../../solver/support/bench.js';

const { signal } = new AbortController();
const key = (name: string): string => rootKey(sha256(`key ${name}`), 0);

interface Node {
  readonly name: string;
  readonly inputs?: readonly KeyChain[];
  readonly layers?: boolean;
  readonly exportCache?: boolean;
}
const node = ({ name, inputs = [], layers = true, exportCache }: Node): KeyChain => ({
  digest: rootKey(sha256(`key ${name}`), 0),
  inputs: inputs.map((input) => [{ selector: undefined, node: input }]),
  result: layers ? { held: undefined, recordId: name, createdAt: 1000 } : undefined,
  exportCache,
  vertex: sha256(name),
  aliases: [],
  keys: [],
});

/** Names of those that were made, and all that have layers. */
async function collected(
  top: KeyChain,
  mode: 'min' | 'max',
  known: readonly string[] = [],
): Promise<{ readonly made: readonly string[]; readonly records: readonly CacheRecord[] }> {
  const made: string[] = [];
  const records = await collectRecords(
    [top],
    {
      mode,
      keys: undefined,
      layers: async ({ recordId = '' }, make) => {
        if (make) made.push(recordId);
        if (!make && !known.includes(recordId)) throw notFound('ref.no-blob', 'no blob');
        return cacheLayers(recordId);
      },
    },
    signal,
  );
  return { made: made.sort(), records };
}

const withLayers = (records: readonly CacheRecord[], names: readonly string[]): readonly string[] =>
  names.filter((name) => records.find(({ digest }) => digest === key(name))?.result);

describe('records to export', () => {
  const base = node({ name: 'base' });
  const tool = node({ name: 'tool', inputs: [base] });
  const lower = node({ name: 'lower', inputs: [base] });
  const top = node({ name: 'top', inputs: [lower, tool] });
  const names = ['base', 'tool', 'lower', 'top'];

  it('are all steps with their layers in mode max; sources come without', async () => {
    const { made, records } = await collected(top, 'max');
    expect(made).to.deep.equal(['lower', 'tool', 'top']);
    expect(withLayers(records, names)).to.deep.equal(['tool', 'lower', 'top']);
  });

  it('have only layers of the result in mode min, and what is there anyway', async () => {
    const { made, records } = await collected(top, 'min', ['lower']);
    expect(made).to.deep.equal(['top']);
    expect(withLayers(records, names)).to.deep.equal(['lower', 'top']);
  });

  it('go down in mode min until there are layers', async () => {
    const empty = node({ name: 'empty', inputs: [lower, tool], layers: false });
    const { made } = await collected(empty, 'min');
    expect(made).to.deep.equal(['lower', 'tool']);
  });

  it('name every key, and come after what they rest on', async () => {
    const { records } = await collected(top, 'min');
    expect(records.map(({ digest }) => digest)).to.have.members(names.map(key));
    for (const [at, { inputs }] of records.entries()) {
      for (const { record } of inputs.flat()) expect(records.indexOf(record)).to.be.below(at);
    }
  });

  it('leave out the layers of a step that does not want to be exported', async () => {
    const shy = node({ name: 'shy', inputs: [base], exportCache: false });
    const { records } = await collected(node({ name: 'top', inputs: [shy] }), 'max');
    expect(withLayers(records, ['shy', 'top'])).to.deep.equal(['top']);
  });

  it('leave out what nobody else could find, and all that rests on it', async () => {
    const local: KeyChain = { ...node({ name: 'local' }), digest: 'random:1' };
    const { records } = await collected(node({ name: 'copy', inputs: [local] }), 'max');
    expect(records).to.deep.equal([]);
  });

  it('of equal steps are one', async () => {
    const twin = node({ name: 'tool', inputs: [base] });
    const { records } = await collected(node({ name: 'top', inputs: [tool, twin] }), 'max');
    expect(records).to.have.length(3);
  });

  it('do not go without the other ways that earlier builds left in the key store', async () => {
    const keys = new KeyStore(new MemoryKv());
    const step = rootKey(sha256('key copy'), 0);
    const from = (id: string) => originName({ from: id, link: { input: 0, step, selector: undefined } });
    const definitions = [from(key('base')), from(contentKey(sha256('files')))];
    await keys.link([{ definitions, content: undefined }], 'copy');
    const copy: KeyChain = { ...node({ name: 'copy', inputs: [base] }), keys: ['copy'] };
    const layers = async () => cacheLayers('copy');
    const records = await collectRecords([copy], { mode: 'max', keys, layers }, signal);
    const [links] = records.find(({ digest }) => digest === step)!.inputs;
    expect(links!.map(({ record }) => record.digest)).to.have.members([
      key('base'),
      contentKey(sha256('files')),
    ]);
  });

  it('are linear in the graph: each result is asked once, each key once', async () => {
    for (const count of [300, 3000]) {
      await using bench = new Bench();
      let last = bench.graph.step({ name: 'base' });
      const tools = Array.from({ length: 10 }, (_, at) => bench.graph.step({ name: `tool${at}` }));
      for (let at = 0; at < count; at++) {
        last = bench.graph.step({ name: `step${at}`, inputs: [last, tools[at % 10]!] });
      }
      await using job = bench.job();
      await bench.value(job, last);
      let asked = 0;
      const before = bench.keys.queries;
      const records = await collectRecords(
        [job.cacheChain({ vertex: last, index: 0 })!],
        {
          mode: 'max',
          keys: bench.keys,
          layers: async () => {
            asked++;
            return cacheLayers('a');
          },
        },
        signal,
      );
      expect([asked, records.length]).to.deep.equal([count, count + 11]);
      expect(bench.keys.queries - before).to.be.at.most(count + 11);
    }
  }).timeout(60_000);
});
