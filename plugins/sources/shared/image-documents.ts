/** Manifests, indexes and configs as they come from outside: parsed, checked, and nothing assumed. */
import * as z from 'zod';
import type { Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { isIndexType, isManifestType, mediaTypes } from '../../../core/util/media-types.js';
import type { Platform } from '../../../core/util/platform.js';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');

const platform = z
  .object({
    os: z.string().default(''),
    architecture: z.string().default(''),
    variant: z.string().optional(),
    'os.version': z.string().optional(),
    'os.features': z.array(z.string()).nullish(),
  })
  .transform(
    (raw): Platform => ({
      os: raw.os,
      architecture: raw.architecture,
      ...(raw.variant ? { variant: raw.variant } : {}),
      ...(raw['os.version'] ? { osVersion: raw['os.version'] } : {}),
      ...(raw['os.features']?.length ? { osFeatures: raw['os.features'] } : {}),
    }),
  );

const descriptor = z
  .object({
    mediaType: z.string().default(''),
    digest,
    size: z.int().min(0),
    annotations: z.record(z.string(), z.string()).nullish(),
    platform: platform.nullish(),
  })
  .transform(
    (raw): Descriptor => ({
      mediaType: raw.mediaType,
      digest: raw.digest,
      size: raw.size,
      ...(raw.annotations ? { annotations: raw.annotations } : {}),
      ...(raw.platform ? { platform: raw.platform } : {}),
    }),
  );

const manifest = z.object({ config: descriptor, layers: z.array(descriptor).nullish() });
const index = z.object({ manifests: z.array(descriptor).nullish() });
const config = z.object({
  rootfs: z.object({ type: z.string().default(''), diff_ids: z.array(digest).nullish() }).nullish(),
});

export interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export function parseManifest(data: Uint8Array, name: string): Manifest {
  const parsed = parse(manifest, data, name, 'manifest');
  return { config: parsed.config, layers: parsed.layers ?? [] };
}

export const parseIndex = (data: Uint8Array, name: string): readonly Descriptor[] =>
  parse(index, data, name, 'index').manifests ?? [];

/** The digests of the uncompressed layers, bottom first. */
export const parseDiffIds = (data: Uint8Array, name: string): readonly Digest[] =>
  parse(config, data, name, 'image config').rootfs?.diff_ids ?? [];

/**
 * The media type of a manifest that is stored without one. Registries name it in a header; a manifest's own
 * `mediaType` is optional in OCI, so its members decide.
 */
export function detectMediaType(data: Uint8Array, name: string): string {
  const raw = parse(
    z.object({
      mediaType: z.string().optional(),
      config: z.unknown().optional(),
      layers: z.unknown().optional(),
      manifests: z.unknown().optional(),
    }),
    data,
    name,
    'manifest',
  );
  const isManifest = raw.config !== undefined || raw.layers !== undefined;
  if (isManifest && raw.manifests !== undefined) {
    throw corrupt(name, 'manifest', 'it is both a manifest and an index');
  }
  const fits = isManifest ? isManifestType : isIndexType;
  if (raw.mediaType === undefined) return isManifest ? mediaTypes.ociManifest : mediaTypes.ociIndex;
  if (fits(raw.mediaType)) return raw.mediaType;
  throw corrupt(name, 'manifest', `its media type ${raw.mediaType} does not fit its content`);
}

function parse<T>(schema: z.ZodType<T>, data: Uint8Array, name: string, kind: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString());
  } catch (error) {
    throw corrupt(name, kind, (error as Error).message);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw corrupt(name, kind, `${issue.path.join('.')}: ${issue.message}`);
}

const corrupt = (name: string, kind: string, why: string): BuildError =>
  new BuildError('image.corrupt', `${name}: unreadable ${kind}: ${why}`, { grpcCode: 'DataLoss' });
