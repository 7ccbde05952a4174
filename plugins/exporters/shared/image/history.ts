/**
 * An image's history has one entry per layer, and entries without one in between. What frontends and bases wrote is
 * brought in line with the layers there are (wire facts E7.9). BuildKit: exporter/containerimage/writer.go.
 */
import { invalid } from '../../../../core/contracts/errors.js';
import type { RefLayer } from '../../../../core/contracts/refs.js';
import type { GoStruct } from '../../../../core/util/go-json.js';
import { canonicalTime, isAfter, timeFromMs } from '../../../../core/util/go-time.js';

export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

export function parseHistory(value: unknown): readonly HistoryEntry[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw unreadable('history is not a list');
  return value.map(parseEntry);
}

function parseEntry(raw: unknown): HistoryEntry {
  if (typeof raw !== 'object' || raw === null) throw unreadable('a history entry is not an object');
  const entry = raw as Readonly<Record<string, unknown>>;
  const created = typeof entry.created === 'string' ? canonicalTime(entry.created) : undefined;
  if (created === undefined && entry.created !== undefined && entry.created !== null) {
    throw unreadable(`"${entry.created}" is not a time`);
  }
  return {
    ...(created === undefined ? {} : { created }),
    createdBy: text(entry.created_by),
    author: text(entry.author),
    comment: text(entry.comment),
    emptyLayer: entry.empty_layer === true,
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const unreadable = (why: string): Error => invalid('exporter.bad-config', `invalid image config: ${why}`);

/** One entry per layer, and a time for every entry. */
export function normalizeHistory(
  history: readonly HistoryEntry[],
  layers: readonly RefLayer[],
): readonly HistoryEntry[] {
  return fillTimes(layerTimes(alignWithLayers(history, layers), layers));
}

/** Surplus entries become empty, from the top down; missing ones are made from the refs. */
function alignWithLayers(history: readonly HistoryEntry[], layers: readonly RefLayer[]): HistoryEntry[] {
  let seen = 0;
  const aligned = history.map((entry) => {
    if (entry.emptyLayer) return entry;
    seen++;
    return seen <= layers.length ? entry : { ...entry, emptyLayer: true };
  });
  const missing = layers.slice(seen);
  return [
    ...aligned,
    ...missing.map((layer) => ({
      created: timeFromMs(layer.createdAt),
      createdBy: layer.description || 'created by buildkit',
      author: '',
      comment: 'buildkit.exporter.image.v0',
      emptyLayer: false,
    })),
  ];
}

function layerTimes(history: readonly HistoryEntry[], layers: readonly RefLayer[]): HistoryEntry[] {
  let index = 0;
  return history.map((entry) => {
    if (entry.emptyLayer) return entry;
    const layer = layers[index++];
    return entry.created === undefined && layer ? { ...entry, created: timeFromMs(layer.createdAt) } : entry;
  });
}

/**
 * Entries without a time get that of the first new layer, which is the first timed entry after an untimed one: the
 * base's own times come before it. Behind that, the time of the entry before.
 */
function fillTimes(history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const firstUntimed = history.findIndex(({ created }) => created === undefined);
  const timed = history.filter(
    ({ created }, i) => created !== undefined && (firstUntimed < 0 || i > firstUntimed),
  );
  let time = (timed[0] ?? history.findLast(({ created }) => created !== undefined))?.created;
  let sawUntimed = false;
  return history.map((entry) => {
    if (entry.created !== undefined) {
      if (sawUntimed) time = entry.created;
      return entry;
    }
    sawUntimed = true;
    return time === undefined ? entry : { ...entry, created: time };
  });
}

/** No entry of the image's own is younger than the epoch; those that the base already had stay as they are. */
export function clampHistory(
  history: readonly HistoryEntry[],
  base: readonly HistoryEntry[],
  epochSeconds: number,
): readonly HistoryEntry[] {
  const epoch = timeFromMs(epochSeconds * 1000);
  const ownFrom = history.findIndex((entry, i) => !base[i] || !sameEntry(entry, base[i]));
  return history.map((entry, i) => {
    if (ownFrom < 0 || i < ownFrom) return entry;
    return entry.created === undefined || isAfter(entry.created, epochSeconds)
      ? { ...entry, created: epoch }
      : entry;
  });
}

const sameEntry = (a: HistoryEntry, b: HistoryEntry): boolean =>
  JSON.stringify(historyJson(a)) === JSON.stringify(historyJson(b));

export const historyJson = ({ created, createdBy, author, comment, emptyLayer }: HistoryEntry): GoStruct => ({
  created,
  created_by: createdBy || undefined,
  author: author || undefined,
  comment: comment || undefined,
  empty_layer: emptyLayer || undefined,
});
