/**
 * From a config back to records. A record whose layers are not all known keeps its place: its key still leads on. BuildKit:
 * cache/remotecache/v1/parse.go.
 */
import type { CacheMountLayers, CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider } from '../../../core/contracts/content.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import type { Digest } from '../../../core/util/digest.js';
import { type CacheConfig, type ConfigRecord, corrupt } from './config.js';
import { LayerChains } from './layer-chains.js';

export interface KnownLayers {
  readonly layers: ReadonlyMap<Digest, RefLayer>;
  readonly provider: ContentProvider;
}

type Shell = { -readonly [K in keyof CacheRecord]: CacheRecord[K] };

/** Fails with `cache.corrupt` when a link leads nowhere, or in a circle. */
export function decodeConfig(config: CacheConfig, known: KnownLayers, name: string): readonly CacheRecord[] {
  const chains = new LayerChains(config, known.layers, name);
  const shells = config.records.map(({ digest }): Shell => ({ digest, inputs: [] }));
  for (const [at, record] of config.records.entries()) {
    const shell = shells[at]!;
    shell.inputs = inputsOf(record, at, shells, name);
    const result = newest(record, chains, known.provider);
    if (result) shell.result = result;
  }
  refuseCircles(shells, name);
  return shells;
}

/** A mount whose layers are not all known is left out. Of several with one id the first counts. */
export function decodeMounts(
  config: CacheConfig,
  known: KnownLayers,
  name: string,
): readonly CacheMountLayers[] {
  const chains = new LayerChains(config, known.layers, name);
  return (config.mounts ?? []).flatMap(({ id, based, layer }): CacheMountLayers[] => {
    const layers = chains.below(layer);
    return layers ? [{ id, based, layers: { layers, provider: known.provider } }] : [];
  });
}

const inputsOf = (
  { inputs }: ConfigRecord,
  at: number,
  records: readonly CacheRecord[],
  name: string,
): CacheRecord['inputs'] =>
  inputs.map((links) => {
    if (links.length === 0) throw corrupt(name, `invalid empty input for record ${at}`);
    return links.map(({ selector, link }) => {
      const record = records[link];
      if (!record) throw corrupt(name, `invalid record ID: ${link}`);
      return { record, ...(selector ? { selector } : {}) };
    });
  });

function newest(
  { layers, chains }: ConfigRecord,
  table: LayerChains,
  provider: ContentProvider,
): CacheRecord['result'] {
  const candidates = [
    ...layers.map(({ layer, createdAt }) => ({
      layers: table.below(layer),
      createdAt: Date.parse(createdAt),
    })),
    ...chains.map(({ layers, createdAt }) => ({
      layers: table.all(layers),
      createdAt: Date.parse(createdAt),
    })),
  ].sort((a, b) => b.createdAt - a.createdAt);
  for (const { layers, createdAt } of candidates) {
    if (layers) return { layers: { layers, provider }, createdAt };
  }
  return undefined;
}

/** Chains may be long: no recursion. */
function refuseCircles(records: readonly CacheRecord[], name: string): void {
  const done = new Set<CacheRecord>();
  const path = new Set<CacheRecord>();
  const open = [...records];
  for (let record = open.at(-1); record; record = open.at(-1)) {
    if (done.has(record) || path.has(record)) {
      open.pop();
      path.delete(record);
      done.add(record);
      continue;
    }
    path.add(record);
    for (const links of record.inputs) {
      for (const { record: below } of links) {
        if (path.has(below)) throw corrupt(name, 'invalid looping record');
        if (!done.has(below)) open.push(below);
      }
    }
  }
}
