import pLimit from 'p-limit';
import type { ContentStore } from '../contracts/content.js';
import { invalid } from '../contracts/errors.js';
import type { UsageRecord } from '../contracts/refs.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import { type FieldLookup, type Filter, matchesAny, parseFilter } from '../util/filter.js';
import { isErrno } from '../util/linux/system-error.js';
import { type Entry, layerDescriptors, restsOn, snapshotKey } from './record.js';
import type { RecordBook } from './record-book.js';

/** Trees measured at once; the work is done by threads. */
const AT_ONCE = 16;

/** How much disk each record takes. Sizes are computed once and kept until the record changes. */
export class DiskUsage {
  readonly #book: RecordBook;
  readonly #snapshotter: Snapshotter;
  readonly #content: ContentStore;

  constructor(book: RecordBook, snapshotter: Snapshotter, content: ContentStore) {
    this.#book = book;
    this.#snapshotter = snapshotter;
    this.#content = content;
  }

  async records(filter: readonly string[], signal: AbortSignal): Promise<readonly UsageRecord[]> {
    const matches = usageFilter(filter);
    const used = inUse(this.#book);
    const found = [...this.#book.entries()].filter((entry) => matches(describe(entry, used.has(entry), 0)));
    const limit = pLimit(AT_ONCE);
    return Promise.all(
      found.map((entry) =>
        limit(async () => describe(entry, used.has(entry), await this.size(entry, signal))),
      ),
    );
  }

  /** Asks only for what is not known yet: it is wanted after every build. */
  async total(signal: AbortSignal): Promise<number> {
    let known = 0;
    const unknown: Entry[] = [];
    for (const entry of this.#book.entries()) {
      if (entry.usage.size === undefined) unknown.push(entry);
      else known += entry.usage.size;
    }
    const limit = pLimit(AT_ONCE);
    const sizes = await Promise.all(unknown.map((entry) => limit(() => this.size(entry, signal))));
    return sizes.reduce((sum, size) => sum + size, known);
  }

  /** 0 for what is being written: its size changes while it is measured. */
  async size(entry: Entry, signal: AbortSignal): Promise<number> {
    const { record } = entry;
    const known = entry.usage.size;
    const size = await this.measure(entry, signal);
    // A mutable one may be taken and written again, and a record may have changed meanwhile.
    if (known === undefined && entry.record === record && record.kind === 'immutable' && !entry.gone) {
      this.#book.setUsage(entry, { ...entry.usage, size });
    }
    return size;
  }

  /** The same without writing it down, for what is about to go: each write would be one more to wait for. */
  async measure(entry: Entry, signal: AbortSignal): Promise<number> {
    if (entry.usage.size !== undefined) return entry.usage.size;
    if (entry.gone || (entry.record.kind === 'mutable' && entry.handles > 0)) return 0;
    const { record } = entry;
    const tree = record.lazy ? 0 : await this.#treeSize(snapshotKey(record), signal);
    const blobs = await Promise.all(
      [...new Set(layerDescriptors(record).map(({ digest }) => digest))].map((digest) =>
        this.#content.info(digest),
      ),
    );
    return blobs.reduce((sum, blob) => sum + (blob?.size ?? 0), tree);
  }

  async #treeSize(key: string, signal: AbortSignal): Promise<number> {
    try {
      return (await this.#snapshotter.usage(key, signal)).bytes;
    } catch (error) {
      // Removed while it was measured.
      if (isErrno(error, 'ENOENT', 'snapshot.not-found')) return 0;
      throw error;
    }
  }
}

/** Entries with a handle or a holder, and all that they rest on. */
function inUse(book: RecordBook): ReadonlySet<Entry> {
  const used = new Set<Entry>();
  const open = [...book.entries()].filter(({ handles, holders }) => handles > 0 || holders.size > 0);
  for (let at = open.pop(); at; at = open.pop()) {
    if (used.has(at)) continue;
    used.add(at);
    open.push(...book.below(at));
  }
  return used;
}

export function describe(entry: Entry, used: boolean, size: number): UsageRecord {
  const { record, usage } = entry;
  return {
    id: record.id,
    mutable: record.kind === 'mutable',
    inUse: used,
    size,
    parents: [...new Set(restsOn(record))],
    createdAt: record.createdAt,
    lastUsedAt: usage.lastUsedAt,
    usageCount: usage.usageCount,
    description: record.description,
    recordType: record.type,
    shared: false,
  };
}

/** Any of the filters; BuildKit: cache/manager.go adaptUsageInfo has the fields. */
export function usageFilter(texts: readonly string[]): (record: UsageRecord) => boolean {
  const filters: Filter[] = texts.map((text) => {
    try {
      return parseFilter(text);
    } catch (cause) {
      throw invalid('usage.filter', (cause as Error).message, { cause });
    }
  });
  return (record) => matchesAny(filters, fieldsOf(record));
}

const fieldsOf =
  (record: UsageRecord): FieldLookup =>
  ([field]) => {
    const flag = (value: boolean): string | undefined => (value ? '' : undefined);
    switch (field) {
      case 'id':
        return record.id;
      case 'parents':
        return record.parents.length > 0 ? record.parents.join(';') : undefined;
      case 'description':
        return record.description || undefined;
      case 'type':
        return record.recordType;
      case 'inuse':
        return flag(record.inUse);
      case 'mutable':
        return flag(record.mutable);
      case 'immutable':
        return flag(!record.mutable);
      case 'shared':
        return flag(record.shared);
      case 'private':
        return flag(!record.shared);
      default:
        return undefined;
    }
  };
