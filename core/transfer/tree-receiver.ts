/**
 * The receiving end of a tree transfer, without the stream: fed with entries and data, it asks for content through
 * `request` and writes through a {@link TreeWriter}. Synchronous: for worker threads.
 *
 * 1. The list is checked before anything is done with it.
 * 2. With a `base`, nothing is written until the first difference; if there is none, nothing ever is.
 * 3. What equals the base is hard-linked from there, so content is requested for the rest only.
 */
import { invalid } from '../contracts/errors.js';
import type { FileStat, ReceivedEntry } from '../contracts/refs.js';
import { comparePaths } from './path-order.js';
import { sameFile } from './same-file.js';
import { TreeOrder } from './tree-order.js';
import { hasContent, type IncomingFile, type TreeWriter } from './tree-writer.js';

export interface TreeReceiverOptions {
  readonly writer: TreeWriter;
  readonly base?: { readonly dir: string; readonly entries: readonly ReceivedEntry[] } | undefined;
  /** Everything is written as this user's. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly request: (id: number) => void;
}

interface Pending {
  readonly file: IncomingFile;
  /** Where the entry stands in the result. */
  readonly index: number;
}

export class TreeReceiver implements Disposable {
  readonly #options: TreeReceiverOptions;
  readonly #order = new TreeOrder();
  readonly #entries: ReceivedEntry[] = [];
  readonly #pending = new Map<number, Pending>();
  /** Equal to the base so far, waiting for a difference. */
  readonly #held: { readonly stat: FileStat; readonly old: ReceivedEntry }[] = [];
  #nextId = 0;
  #baseAt = 0;
  #differs: boolean;
  #listed = false;

  constructor(options: TreeReceiverOptions) {
    this.#options = options;
    this.#differs = options.base === undefined;
  }

  /** The next entry of the list. */
  entry(received: FileStat): void {
    if (this.#listed) throw invalid('transfer.order', 'an entry follows the end of the list');
    this.#order.check(received);
    const id = this.#nextId++;
    const { owner } = this.#options;
    const stat = owner ? { ...received, ...owner } : received;
    const old = this.#oldEntry(stat.path);
    const same = old !== undefined && sameFile(old, stat);
    if (same && !this.#differs) this.#held.push({ stat, old });
    else {
      this.#difference();
      this.#apply(stat, id, same ? old : undefined);
    }
  }

  /** The list is complete. */
  listed(): void {
    this.#listed = true;
    if (this.#baseAt < (this.#options.base?.entries.length ?? 0)) this.#difference();
  }

  /** Content of file `id`; empty at its end. */
  data(id: number, data: Uint8Array): void {
    const pending = this.#pending.get(id);
    if (!pending) throw invalid('transfer.request', `invalid file request ${id}`);
    if (data.length > 0) {
      pending.file.write(data);
      return;
    }
    this.#pending.delete(id);
    const recordSha256 = pending.file.close();
    if (recordSha256 === undefined) return;
    this.#entries[pending.index] = { ...this.#entries[pending.index]!, recordSha256 };
  }

  /** Nothing more is expected. */
  get complete(): boolean {
    return this.#listed && this.#pending.size === 0;
  }

  /** Call once, when complete. undefined: nothing differs from the base, nothing was written. */
  finish(): readonly ReceivedEntry[] | undefined {
    if (!this.#differs) return undefined;
    this.#options.writer.finish();
    return this.#entries;
  }

  [Symbol.dispose](): void {
    this.#options.writer[Symbol.dispose]();
  }

  /** The base's entry of that path; entries passed over on the way are gone from the list. */
  #oldEntry(path: string): ReceivedEntry | undefined {
    const entries = this.#options.base?.entries;
    if (!entries) return undefined;
    for (; this.#baseAt < entries.length; this.#baseAt++) {
      const order = comparePaths(entries[this.#baseAt]!.path, path);
      if (order > 0) return undefined;
      if (order === 0) return entries[this.#baseAt++];
      this.#difference();
    }
    return undefined;
  }

  #difference(): void {
    if (this.#differs) return;
    this.#differs = true;
    for (const { stat, old } of this.#held.splice(0)) this.#apply(stat, -1, old);
  }

  #apply(stat: FileStat, id: number, old: ReceivedEntry | undefined): void {
    const { writer, base, request } = this.#options;
    if (!hasContent(stat)) {
      this.#entries.push(stat);
      writer.add(stat);
    } else if (old) {
      // With the base's attributes, which are what the file has and what its digest covers.
      this.#entries.push(old);
      writer.relink(stat, `${base!.dir}/${stat.path}`);
    } else {
      this.#pending.set(id, { file: writer.file(stat), index: this.#entries.length });
      this.#entries.push(stat);
      request(id);
    }
  }
}
