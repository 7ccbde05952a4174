/** The keys of garbage collection, which every `[worker.…]` section has. BuildKit: cmd/buildkitd/config. */
import * as z from 'zod';
import { parseDiskSpace } from '../../util/disk-space.js';
import { parseGoDuration } from '../../util/go-duration.js';

export const diskSpace = z
  .union([z.int().min(0), z.string()], { error: spaceExpected })
  .refine((value) => value === '' || parseDiskSpace(value) !== undefined, { error: spaceExpected });

/** Go's form, or whole seconds. */
export const duration = z
  .union([z.int().min(0), z.string()], { error: durationExpected })
  .refine((value) => durationMs(value) !== undefined, { error: durationExpected });

/** The same, or a negative one, which means that there is no end. */
export const lasting = z
  .union([z.int(), z.string()], { error: durationExpected })
  .refine((value) => lastingMs(value) !== undefined, { error: durationExpected });

export const enabled = z.union([z.boolean(), z.literal('auto')], { error: 'expected true, false or "auto"' });

function spaceExpected({ input }: { readonly input?: unknown }): string {
  return `${typeof input === 'object' ? '' : 'no amount of disk: '}expected bytes, "512MB" or "10%"`;
}

function durationExpected({ input }: { readonly input?: unknown }): string {
  return `${typeof input === 'object' ? '' : 'no duration: '}expected a form like "48h", or seconds`;
}

/** Milliseconds; -1 for a negative one, undefined when it is no duration. */
export function lastingMs(value: string | number): number | undefined {
  if (typeof value === 'number') return value < 0 ? -1 : durationMs(value);
  const positive = durationMs(value.replace(/^-/, ''));
  return positive !== undefined && value.startsWith('-') ? -1 : positive;
}

/** Milliseconds; undefined when it is no duration. */
export function durationMs(value: string | number): number | undefined {
  if (typeof value === 'number') return value * 1000;
  if (value === '') return 0;
  return /^\d+$/.test(value) ? Number(value) * 1000 : parseGoDuration(value);
}

const policy = z.strictObject({
  all: z.boolean().optional().describe('also internal and frontend records'),
  filters: z.array(z.string()).optional().describe('only records that one of these matches'),
  keepDuration: duration.optional().describe('keep what was used more recently'),
  keepBytes: diskSpace.optional().describe('older name of reservedSpace'),
  reservedSpace: diskSpace.optional().describe('never shrink the cache below this'),
  maxUsedSpace: diskSpace.optional().describe('keep the cache below this'),
  minFreeSpace: diskSpace.optional().describe('prune until this much disk is free'),
});

export const gcKeys = {
  gc: z.boolean().default(true).describe('collect garbage after builds'),
  gckeepstorage: diskSpace.optional().describe('older name of reservedSpace'),
  reservedSpace: diskSpace
    .optional()
    .describe('of the default rules: never shrink the cache below this; default: 10%, at most 10 GB'),
  maxUsedSpace: diskSpace
    .optional()
    .describe('of the default rules: keep the cache below this; default: 80%, at most 100 GB'),
  minFreeSpace: diskSpace
    .optional()
    .describe('of the default rules: prune until this much disk is free; default: 20%'),
  gcpolicy: z.array(policy).optional().describe('rules that replace the default ones'),
};

export type GcConfig = z.infer<z.ZodObject<typeof gcKeys>>;
export type GcPolicyConfig = z.infer<typeof policy>;
