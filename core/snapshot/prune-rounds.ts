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
  remove(entries: readonly Entry[]): Promise<void>;
}

/** Records removed with one write, when there is no aim. BuildKit: cache/manager.go maxPruneBatch. */
const AT_ONCE = 10;

export async function* pruneRounds(
  view: PruneView,
  rule: GcRule,
  signal: AbortSignal,
): AsyncIterable<UsageRecord> {
  const may = removable(rule);
  const aim = await aimOf(view, rule);
  let { total } = aim;
  const keep = aim.keep ?? 0;
  while (keep === 0 || total >= keep) {
    const candidates = [...view.free()].filter((entry) => may(entry) === undefined);
    if (candidates.length === 0) return;
    const { freed } = view;
    const queue = keep === 0 ? candidates : [...byWorth(candidates)];
    while (queue.length > 0) {
      if (keep !== 0 && (total < keep || view.freed !== freed)) break;
      if (signal.aborted) throw canceled(signal.reason);
      const next = queue.splice(0, keep === 0 ? AT_ONCE : 1);
      const sizes = new Map(
        await Promise.all(next.map(async (entry) => [entry, await view.size(entry)] as const)),
      );
      // They may have been taken meanwhile. From here to the books there must be no wait.
      const going = next.filter((entry) => view.isFree(entry));
      if (going.length === 0) continue;
      await view.remove(going);
      for (const entry of going) {
        const size = sizes.get(entry) ?? 0;
        total -= size;
        yield describe(entry, false, size);
      }
    }
  }
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
