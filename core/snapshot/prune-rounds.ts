/**
 * The order in which one rule lets records go. Only what nothing keeps can go, so children go before what they stand
 * on, round by round. With an aim in bytes the least valuable record goes first, until the aim is met, and the order is
 * made anew whenever a record becomes free; without one all that matches goes, many at once.
 */
import { canceled } from '../contracts/errors.js';
import type { GcRule, UsageRecord } from '../contracts/refs.js';
import { describe, usageFilter } from './disk-usage.js';
import { bytesToKeep, byWorth } from './prune-plan.js';
import type { Entry } from './record.js';

/** What is really there, or what would be there if the rule had been carried out so far. */
export interface PruneView {
  /** Entries that nothing keeps. */
  free(): Iterable<Entry>;
  isFree(entry: Entry): boolean;
  /** Rises whenever an entry becomes free. */
  readonly freed: number;
  /** Bytes of all records. */
  total(): Promise<number>;
  freeSpace(): Promise<number>;
  size(entry: Entry): Promise<number>;
  /** They are off the books at once; it resolves when they are gone, those of earlier calls before them. */
  remove(entries: readonly Entry[]): Promise<void>;
}

/** Records removed with one write, when there is no aim: each write waits for the disk. */
const AT_ONCE = 100;

export async function* pruneRounds(
  view: PruneView,
  rule: GcRule,
  signal: AbortSignal,
): AsyncIterable<UsageRecord> {
  const may = removable(rule);
  const aim = await aimOf(view, rule);
  const matching = (): Entry[] => [...view.free()].filter((entry) => may(entry) === undefined);
  if (aim.keep === undefined) yield* removeAll(view, matching, signal);
  else yield* removeUntil(view, matching, { ...aim, keep: aim.keep }, signal);
}

async function* removeUntil(
  view: PruneView,
  matching: () => Entry[],
  { total, keep }: { readonly total: number; readonly keep: number },
  signal: AbortSignal,
): AsyncIterable<UsageRecord> {
  for (let left = total; left >= keep; ) {
    const candidates = matching();
    if (candidates.length === 0) return;
    const { freed } = view;
    for (const entry of byWorth(candidates)) {
      if (left < keep || view.freed !== freed) break;
      if (signal.aborted) throw canceled(signal.reason);
      const { going, removed } = await begin(view, [entry]);
      await removed;
      for (const { size } of going) left -= size;
      yield* going.map(({ entry, size }) => describe(entry, false, size));
    }
  }
}

/** What a round frees joins the batch: a chain of records does not wait for the disk at each of them. */
async function* removeAll(
  view: PruneView,
  matching: () => Entry[],
  signal: AbortSignal,
): AsyncIterable<UsageRecord> {
  for (;;) {
    const batch: Going[] = [];
    const removals: Promise<void>[] = [];
    try {
      while (batch.length < AT_ONCE) {
        if (signal.aborted) throw canceled(signal.reason);
        const next = matching().slice(0, AT_ONCE - batch.length);
        if (next.length === 0) break;
        const { going, removed } = await begin(view, next);
        batch.push(...going);
        removals.push(removed);
      }
    } finally {
      await Promise.all(removals);
    }
    if (batch.length === 0) return;
    yield* batch.map(({ entry, size }) => describe(entry, false, size));
  }
}

interface Going {
  readonly entry: Entry;
  readonly size: number;
}

/** Measures, and takes off the books what is free still; `removed` resolves when it is gone from the disk. */
async function begin(
  view: PruneView,
  entries: readonly Entry[],
): Promise<{ readonly going: readonly Going[]; readonly removed: Promise<void> }> {
  const measured = await Promise.all(entries.map(async (entry) => ({ entry, size: await view.size(entry) })));
  // They may have been taken meanwhile. From here to the books there must be no wait.
  const going = measured.filter(({ entry }) => view.isFree(entry));
  const removed = view.remove(going.map(({ entry }) => entry));
  // It is waited for; only not at once.
  removed.catch(() => {});
  return { going, removed };
}

export interface Aim {
  readonly total: number;
  /** Bytes to keep; undefined: there is no such aim. */
  readonly keep: number | undefined;
}

export async function aimOf(view: PruneView, rule: GcRule): Promise<Aim> {
  const bounded = rule.maxUsedSpace !== 0 || rule.reservedSpace !== 0 || rule.minFreeSpace !== 0;
  if (!bounded) return { total: 0, keep: undefined };
  const total = await view.total();
  const free = rule.minFreeSpace === 0 ? 0 : await view.freeSpace();
  const keep = bytesToKeep(total, free, rule);
  return { total, keep: keep === 0 ? undefined : keep };
}

export type Objection = 'type' | 'recent' | 'filter';

/** Why a rule does not speak of an entry; undefined: it does. */
export function removable(rule: GcRule): (entry: Entry) => Objection | undefined {
  const matches = rule.filter.length === 0 ? () => true : usageFilter(rule.filter);
  const cutOff = Date.now() - rule.keepDurationMs;
  return (entry) => {
    const { record, usage } = entry;
    if (!rule.all && (record.type === 'internal' || record.type === 'frontend')) return 'type';
    if (rule.keepDurationMs !== 0 && (usage.lastUsedAt ?? Number.NEGATIVE_INFINITY) > cutOff) return 'recent';
    return matches(describe(entry, false, 0)) ? undefined : 'filter';
  };
}
