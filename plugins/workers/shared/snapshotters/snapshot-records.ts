import type { Kv, KvBatch, KvTable } from '../../../../core/contracts/kv.js';
import type { Logger } from '../../../../core/contracts/logger.js';
import type { SnapshotInfo } from '../../../../core/contracts/snapshotter.js';
import {
  snapshotExists,
  snapshotHasChildren,
  snapshotLost,
  snapshotNotFound,
  snapshotWrongKind,
} from './errors.js';

export interface SnapshotRecord {
  readonly kind: 'active' | 'committed';
  readonly parent?: string;
  /** Name of the snapshot's own directory, unique for ever. */
  readonly dir: string;
  /** Directories a child stands on, topmost first. Of an active snapshot: what it stands on itself. */
  readonly stack: readonly string[];
  /** Directories made for this snapshot besides its own: flattened parts of its chain. */
  readonly flattened?: readonly string[];
}

/**
 * The book of a driver: which snapshot is what and where. Kept in the key-value store; an entry is the truth, a
 * directory that no entry names is left over.
 */
export class SnapshotRecords {
  readonly #kv: Kv;
  readonly #table: KvTable<SnapshotRecord>;
  readonly #children = new Map<string, number>();
  /** Why a snapshot that was there could not be written down. */
  readonly #lost = new Map<string, unknown>();

  constructor(kv: Kv, table: string) {
    this.#kv = kv;
    this.#table = kv.table(table);
    for (const [, { parent }] of this.#table.entries()) this.#count(parent, 1);
  }

  get(key: string): SnapshotRecord | undefined {
    return this.#table.get(key);
  }

  require(key: string, kind?: SnapshotRecord['kind']): SnapshotRecord {
    const record = this.#table.get(key);
    if (!record) throw this.#lost.has(key) ? snapshotLost(key, this.#lost.get(key)) : snapshotNotFound(key);
    if (kind && record.kind !== kind) throw snapshotWrongKind(key, record.kind, kind);
    return record;
  }

  *entries(): Iterable<readonly [key: string, record: SnapshotRecord]> {
    yield* this.#table.entries();
  }

  info(key: string): SnapshotInfo | undefined {
    const record = this.#table.get(key);
    return record && { key, kind: record.kind, parent: record.parent };
  }

  list(): readonly SnapshotInfo[] {
    return [...this.#table.entries()].map(([key, { kind, parent }]) => ({ key, kind, parent }));
  }

  /** True when `prepare(key, parent)` has nothing left to do. */
  prepared(key: string, parent: string | undefined): boolean {
    const record = this.#table.get(key);
    if (!record) return false;
    if (record.kind !== 'active' || record.parent !== parent) throw snapshotExists(key, describe(record));
    return true;
  }

  /** Known at once. */
  add(key: string, record: SnapshotRecord): void {
    this.#count(record.parent, 1);
    this.#writeSoon(key, (batch) => batch.put(this.#table, key, record));
  }

  async update(key: string, record: SnapshotRecord): Promise<void> {
    await this.#kv.write((batch) => batch.put(this.#table, key, record));
  }

  /** Turns the active `key` into the committed `name`, in one write. Known at once. */
  commit(name: string, key: string, stack: readonly string[]): void {
    const done = this.#table.get(name);
    if (done?.kind === 'committed' && !this.#table.has(key)) return;
    const record = this.require(key, 'active');
    if (done && name !== key) throw snapshotExists(name, describe(done));
    this.#writeSoon(name, (batch) => {
      batch.remove(this.#table, key);
      batch.put<SnapshotRecord>(this.#table, name, { ...record, kind: 'committed', stack });
    });
  }

  /** Answers the record, which is gone at once, and from the disk when it is `written`; undefined when there was none. */
  remove(key: string): { readonly record: SnapshotRecord; readonly written: Promise<void> } | undefined {
    const record = this.#table.get(key);
    if (!record) return undefined;
    const children = this.#children.get(key) ?? 0;
    if (children > 0) throw snapshotHasChildren(key, children);
    this.#count(record.parent, -1);
    return { record, written: this.writeOff(key) };
  }

  /** On the disk alone, for one that was removed and is still named there. */
  writeOff(key: string): Promise<void> {
    return this.#kv.write((batch) => batch.remove(this.#table, key));
  }

  /**
   * A snapshot whose directory is missing is gone, and so is what stands on it. Answers the directories that
   * nothing names any more.
   */
  async dropBroken(missing: ReadonlySet<string>, logger: Logger): Promise<readonly string[]> {
    if (missing.size === 0) return [];
    const broken = [...this.#table.entries()].filter(([, record]) =>
      [...dirsOf(record), ...record.stack].some((dir) => missing.has(dir)),
    );
    logger.warn('snapshots have lost their directories and are dropped', { count: broken.length });
    broken.sort(([, a], [, b]) => this.#depth(b) - this.#depth(a));
    await Promise.all(broken.map(([key]) => this.remove(key)?.written));
    return broken.flatMap(([, record]) => dirsOf(record));
  }

  /**
   * The way to the disk is not waited for: the store keeps the order of writes, so whatever names the snapshot gets
   * there after it. A failure shows to who asks for the snapshot next.
   */
  #writeSoon(key: string, change: (batch: KvBatch) => void): void {
    this.#lost.delete(key);
    this.#kv.write(change).catch((error: unknown) => this.#lost.set(key, error));
  }

  #depth(record: SnapshotRecord): number {
    let depth = 0;
    for (let at = record.parent; at !== undefined; at = this.#table.get(at)?.parent) depth += 1;
    return depth;
  }

  #count(parent: string | undefined, change: number): void {
    if (parent === undefined) return;
    const count = (this.#children.get(parent) ?? 0) + change;
    if (count === 0) this.#children.delete(parent);
    else this.#children.set(parent, count);
  }
}

/** Every directory a snapshot owns. */
export const dirsOf = (record: SnapshotRecord): readonly string[] => [
  record.dir,
  ...(record.flattened ?? []),
];

const describe = ({ kind, parent }: SnapshotRecord): string =>
  parent === undefined ? kind : `${kind} on ${parent}`;
