/** What a rule would remove, and why: the rounds of {@link pruneRounds} over books that only it writes in. */
import type { GcRule, PruneVerdict, UsageRecord } from '../contracts/refs.js';
import { describe } from './disk-usage.js';
import { type Aim, aimOf, type Objection, type PruneView, pruneRounds, removable } from './prune-rounds.js';
import type { Entry } from './record.js';
import type { RecordBook } from './record-book.js';

export async function dryPrune(
  view: PruneView,
  book: RecordBook,
  rule: GcRule,
  signal: AbortSignal,
): Promise<readonly PruneVerdict[]> {
  const dry = new DryView(view, book);
  const aim = await aimOf(dry, rule);
  const goes = new Map<string, UsageRecord>();
  for await (const record of pruneRounds(dry, rule, signal)) goes.set(record.id, record);
  const objects = removable(rule);
  const going = [...goes.values()].map((record) => ({ record, goes: true, because: whyGoes(record, aim) }));
  const staying = [...book.entries()]
    .filter(({ id }) => !goes.has(id))
    .map(async (entry) => ({
      record: describe(entry, entry.handles > 0 || entry.holders.size > 0, await view.size(entry)),
      goes: false,
      because: whyStays(entry, dry, objects(entry)),
    }));
  return [...going, ...(await Promise.all(staying))];
}

class DryView implements PruneView {
  readonly #view: PruneView;
  readonly #book: RecordBook;
  readonly #removed = new Set<Entry>();
  /** How many of an entry's children are gone. */
  readonly #childrenGone = new Map<Entry, number>();
  readonly #freed = new Set<Entry>();

  constructor(view: PruneView, book: RecordBook) {
    this.#view = view;
    this.#book = book;
  }

  *free(): Iterable<Entry> {
    for (const entry of this.#view.free()) if (!this.#removed.has(entry)) yield entry;
    for (const entry of this.#freed) if (!this.#removed.has(entry)) yield entry;
  }

  isFree(entry: Entry): boolean {
    return !this.#removed.has(entry) && (this.#view.isFree(entry) || this.#freed.has(entry));
  }

  get freed(): number {
    return this.#freed.size;
  }

  childrenOf(entry: Entry): number {
    return entry.children - (this.#childrenGone.get(entry) ?? 0);
  }

  total = (): Promise<number> => this.#view.total();
  freeSpace = (): Promise<number> => this.#view.freeSpace();
  size = (entry: Entry): Promise<number> => this.#view.size(entry);

  async remove(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      this.#removed.add(entry);
      for (const below of this.#book.below(entry)) {
        this.#childrenGone.set(below, (this.#childrenGone.get(below) ?? 0) + 1);
        if (below.handles === 0 && below.holders.size === 0 && this.childrenOf(below) === 0)
          this.#freed.add(below);
      }
    }
  }
}

function whyGoes({ lastUsedAt, usageCount }: UsageRecord, { keep, total }: Aim): string {
  const used =
    lastUsedAt === undefined
      ? 'it was never used'
      : `it was used ${usageCount === 1 ? 'once' : `${usageCount} times`}, last ${new Date(lastUsedAt).toISOString()}`;
  return keep === undefined
    ? `nothing keeps it; ${used}`
    : `${total} bytes are more than the ${keep} to keep, and nothing is worth less; ${used}`;
}

function whyStays(entry: Entry, dry: DryView, objection: Objection | undefined): string {
  if (entry.handles > 0) return 'a build uses it';
  if (entry.holders.size > 0) return `${[...entry.holders].join(', ')} keeps it`;
  const children = dry.childrenOf(entry);
  if (children > 0)
    return children === 1 ? 'a record that stays rests on it' : `${children} records that stay rest on it`;
  switch (objection) {
    case 'type':
      return `records of type ${entry.record.type} go only with --all`;
    case 'recent':
      return `it was used ${new Date(entry.usage.lastUsedAt ?? 0).toISOString()}, which is recent enough to keep`;
    case 'filter':
      return 'no filter matches it';
    case undefined:
      return 'enough is free without it';
    default:
      return objection satisfies never;
  }
}
