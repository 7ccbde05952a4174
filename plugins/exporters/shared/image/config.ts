/**
 * Image configs. A frontend's config is kept as it is written, member by member; only `rootfs`, `history` and
 * `created` are the exporter's (wire facts E8.1). BuildKit: exporter/containerimage/writer.go patchImageConfig.
 */
import { invalid } from '../../../../core/contracts/errors.js';
import type { RefLayer } from '../../../../core/contracts/refs.js';
import { goJson } from '../../../../core/util/go-json.js';
import { canonicalTime, isAfter, timeFromMs } from '../../../../core/util/go-time.js';
import { objectMembers, sortedObject } from '../../../../core/util/json-text.js';
import { defaultPlatform } from '../../../../core/util/platform.js';
import { platformJson } from './documents.js';
import { clampHistory, type HistoryEntry, historyJson, normalizeHistory, parseHistory } from './history.js';

export interface ConfigInput {
  /** As the frontend wrote it; undefined when it wrote none. */
  readonly config: Uint8Array | undefined;
  /** The config of the image this one was built on. */
  readonly base: Uint8Array | undefined;
  readonly layers: readonly RefLayer[];
  /** Cache records that travel with the image. */
  readonly cache: Uint8Array | undefined;
  /** Seconds. */
  readonly sourceDateEpoch: number | undefined;
}

export function imageConfig({ config, base, layers, cache, sourceDateEpoch }: ConfigInput): Uint8Array {
  const members = config?.length ? readMembers(config) : defaultConfig();
  requirePlatform(members);
  const normalized = normalizeHistory(parseHistory(memberValue(members, 'history')), layers);
  const history =
    sourceDateEpoch === undefined ? normalized : clampHistory(normalized, baseHistory(base), sourceDateEpoch);
  const diffIds = layers.map(({ diffId }) => diffId);
  members.set('rootfs', goJson({ type: 'layers', diff_ids: diffIds.length > 0 ? diffIds : null }));
  members.set('history', goJson(history.length > 0 ? history.map(historyJson) : null));
  members.set('created', createdJson(members, history, sourceDateEpoch));
  if (cache) members.set('moby.buildkit.cache.v0', goJson(cache));
  return Buffer.from(sortedObject(members));
}

function baseHistory(base: Uint8Array | undefined): readonly HistoryEntry[] {
  return base?.length ? parseHistory(memberValue(readMembers(base), 'history')) : [];
}

function createdJson(
  members: ReadonlyMap<string, string>,
  history: readonly HistoryEntry[],
  epochSeconds: number | undefined,
): string {
  const raw = members.get('created');
  if (raw === undefined)
    return goJson(history.findLast(({ created }) => created !== undefined)?.created ?? null);
  if (epochSeconds === undefined || raw === 'null') return raw;
  const value: unknown = JSON.parse(raw);
  const created = typeof value === 'string' ? canonicalTime(value) : undefined;
  if (created === undefined)
    throw invalid('exporter.bad-config', `invalid image config: ${raw} is not a time`);
  return isAfter(created, epochSeconds) ? goJson(timeFromMs(epochSeconds * 1000)) : raw;
}

/** A result of plain LLB has no config; it gets one that a shell can run in. */
function defaultConfig(): Map<string, string> {
  const config = {
    ...platformJson(defaultPlatform()),
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      WorkingDir: '/',
    },
  };
  return new Map(
    Object.entries(config).flatMap(([key, value]) => (value === undefined ? [] : [[key, goJson(value)]])),
  );
}

function readMembers(config: Uint8Array): Map<string, string> {
  const text = Buffer.from(config).toString();
  let members: Map<string, string> | undefined;
  try {
    members = objectMembers(text);
  } catch (cause) {
    throw invalid('exporter.bad-config', `invalid image config for export: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (members) return members;
  throw invalid('exporter.bad-config', 'invalid image config for export: it is not an object');
}

function requirePlatform(members: ReadonlyMap<string, string>): void {
  for (const key of ['os', 'architecture']) {
    const value = memberValue(members, key);
    if (typeof value === 'string' && value !== '') continue;
    throw invalid('exporter.bad-config', `invalid image config for export: missing ${key}`);
  }
}

const memberValue = (members: ReadonlyMap<string, string>, key: string): unknown => {
  const raw = members.get(key);
  return raw === undefined ? undefined : JSON.parse(raw);
};
