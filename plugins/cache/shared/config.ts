/**
 * The document that says which records a cache has and where their layers are. BuildKit:
 * cache/remotecache/v1/types/spec.go; wire facts E6.2.
 */
import * as z from 'zod';
import { BuildError } from '../../../core/contracts/errors.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { type GoStruct, goJson } from '../../../core/util/go-json.js';

export const configMediaType = 'application/vnd.buildkit.cacheconfig.v0';

export interface CacheConfig {
  readonly layers: readonly ConfigLayer[];
  readonly records: readonly ConfigRecord[];
  /** Content of cache mounts. BuildKit has no such thing, and passes over it. */
  readonly mounts?: readonly ConfigMount[];
}
export interface ConfigMount {
  /** As LLB has it. */
  readonly id: string;
  /** Its layers are what the mount has beyond the tree that it lies on. */
  readonly based: boolean;
  /** A layer stands for itself and all below it. */
  readonly layer: number;
}
export interface ConfigLayer {
  readonly blob: Digest;
  /** Index of the layer below; -1 for none. */
  readonly parent: number;
  /** Backends without a manifest describe the blobs here. */
  readonly annotations?: LayerAnnotations;
}
export interface LayerAnnotations {
  readonly mediaType?: string;
  readonly diffID?: string;
  readonly size?: number;
  /** RFC 3339. */
  readonly createdAt?: string;
}
export interface ConfigRecord {
  readonly digest: Digest;
  /** A layer stands for itself and all below it. */
  readonly layers: readonly { readonly layer: number; readonly createdAt: string }[];
  /** Layers in their order, whatever their parents. */
  readonly chains: readonly { readonly layers: readonly number[]; readonly createdAt: string }[];
  readonly inputs: readonly (readonly ConfigLink[])[];
}
export interface ConfigLink {
  readonly selector?: Digest;
  /** Index of a record. */
  readonly link: number;
}

export const configJson = ({ layers, records, mounts = [] }: CacheConfig): string =>
  goJson({
    layers: layers.length > 0 ? layers.map(layerJson) : undefined,
    records: records.length > 0 ? records.map(recordJson) : undefined,
    mounts: mounts.length > 0 ? mounts.map(mountJson) : undefined,
  });

export const recordsJson = (records: readonly ConfigRecord[]): string => goJson(records.map(recordJson));

/** As Go leaves out what is zero, a layer on the first one names no parent. */
const layerJson = ({ blob, parent, annotations }: ConfigLayer): GoStruct => ({
  blob,
  parent: parent || undefined,
  annotations: annotations && {
    mediaType: annotations.mediaType || undefined,
    diffID: annotations.diffID || undefined,
    size: annotations.size || undefined,
    createdAt: annotations.createdAt ?? zeroTime,
  },
});

const zeroTime = '0001-01-01T00:00:00Z';

const recordJson = ({ digest, layers, chains, inputs }: ConfigRecord): GoStruct => ({
  layers: layers.length > 0 ? layers.map(({ layer, createdAt }) => ({ layer, createdAt })) : undefined,
  chains: chains.length > 0 ? chains.map(({ layers, createdAt }) => ({ layers, createdAt })) : undefined,
  digest,
  inputs: inputs.length > 0 ? inputs.map((links) => links.map(linkJson)) : undefined,
});

const mountJson = ({ id, based, layer }: ConfigMount): GoStruct => ({ id, based: based || undefined, layer });

const linkJson = ({ selector, link }: ConfigLink): GoStruct => ({ selector, link });

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
const index = z.int();
const time = z.string().default(zeroTime);

const layer = z.object({
  blob: digest,
  parent: index.default(0),
  annotations: z
    .object({
      mediaType: z.string().optional(),
      diffID: z.string().optional(),
      size: z.number().optional(),
      createdAt: z.string().optional(),
    })
    .nullish(),
});
const record = z.object({
  digest,
  layers: z.array(z.object({ layer: index, createdAt: time })).nullish(),
  chains: z.array(z.object({ layers: z.array(index), createdAt: time })).nullish(),
  inputs: z.array(z.array(z.object({ selector: z.string().optional(), link: index })).nullable()).nullish(),
});

/** Nobody has as many, or such names; each is kept in memory as long as the build runs. */
const MAX_MOUNTS = 1000;
const MAX_ID = 4096;
const mount = z.object({
  id: z.string().min(1).max(MAX_ID),
  based: z.boolean().default(false),
  layer: index.min(0),
});

const config = z.object({
  layers: z.array(layer).nullish(),
  records: z.array(record).nullish(),
  mounts: z.array(mount).max(MAX_MOUNTS).nullish(),
});

export function parseConfig(data: Uint8Array, name: string): CacheConfig {
  const raw = parse(config, data, name);
  return {
    layers: (raw.layers ?? []).map(({ blob, parent, annotations }) => ({
      blob,
      parent,
      ...(annotations ? { annotations: annotations as LayerAnnotations } : {}),
    })),
    records: (raw.records ?? []).map(recordOf),
    ...(raw.mounts?.length ? { mounts: raw.mounts } : {}),
  };
}

export const parseRecords = (data: Uint8Array, name: string): readonly ConfigRecord[] =>
  parse(z.array(record).nullable(), data, name)?.map(recordOf) ?? [];

const recordOf = (raw: z.infer<typeof record>): ConfigRecord => ({
  digest: raw.digest,
  layers: raw.layers ?? [],
  chains: raw.chains ?? [],
  inputs: (raw.inputs ?? []).map((links) =>
    (links ?? []).map(({ selector, link }) => ({
      ...(selector ? { selector: selector as Digest } : {}),
      link,
    })),
  ),
});

function parse<T>(schema: z.ZodType<T>, data: Uint8Array, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString());
  } catch (error) {
    throw corrupt(name, (error as Error).message);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw corrupt(name, `${issue.path.join('.')}: ${issue.message}`);
}

export const corrupt = (name: string, why: string): BuildError =>
  new BuildError('cache.corrupt', `${name}: unreadable cache config: ${why}`, { grpcCode: 'DataLoss' });
