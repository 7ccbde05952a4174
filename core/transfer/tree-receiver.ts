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
import type { SyncBase, SyncResult } from '../contracts/session.js';
import { comparePaths } from './path-order.js';
import { decodeList, encodeList } from './received-list.js';
import { sameFile } from './same-file.js';
import { TreeOrder } from './tree-order.js';
import { hasContent, type IncomingFile, TreeWriter, type WriteMode } from './tree-writer.js';

export interface ReceiveTreeArgs {
  readonly dest: string;
  readonly mode: WriteMode;
  /** Hash files on the way, and answer the list. */
  readonly digests: boolean;
  readonly base?: SyncBase;
  /** Everything is written as this user's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

interface Base {
  readonly dir: string;
  readonly entries: readonly ReceivedEntry[];
}

interface Pending {
  readonly file: IncomingFile;
  /** Where the entry stands in the result. */
  readonly index: number;
}

const noList = new Uint8Array();

export class TreeReceiver implements Disposable {
  readonly #writer: TreeWriter;
  readonly #base: Base | undefined;
  readonly #owner: ReceiveTreeArgs['owner'];
  readonly #list: boolean;
  readonly #request: (id: number) => void;
  readonly #order = new TreeOrder();
  readonly #entries: ReceivedEntry[] = [];
  readonly #pending = new Map<number, Pending>();
  /** Equal to the base so far, waiting for a difference. */
  readonly #held: { readonly stat: FileStat; readonly old: ReceivedEntry }[] = [];
  #nextId = 0;
  #baseAt = 0;
  #differs: boolean;
  #listed = false;

  constructor(args: ReceiveTreeArgs, request: (id: number) => void) {
    this.#writer = new TreeWriter(args);
    this.#base = args.base && readBase(args.base);
    this.#owner = args.owner;
    this.#list = args.digests;
    this.#request = request;
    this.#differs = this.#base === undefined;
  }

  /** The next entry of the list. */
  entry(received: FileStat): void {
    if (this.#listed) throw invalid('transfer.order', 'an entry follows the end of the list');
    this.#order.check(received);
    const id = this.#nextId++;
    const stat = this.#owner ? { ...received, ...this.#owner } : received;
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
    if (this.#baseAt < (this.#base?.entries.length ?? 0)) this.#difference();
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

  /** Call once, when complete. */
  finish(): SyncResult {
    if (!this.#differs) return { unchanged: true };
    this.#writer.finish();
    return { unchanged: false, list: this.#list ? encodeList(this.#entries) : noList };
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }

  /** The base's entry of that path; entries passed over on the way are gone from the list. */
  #oldEntry(path: string): ReceivedEntry | undefined {
    const entries = this.#base?.entries;
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
    if (!hasContent(stat)) {
      this.#entries.push(stat);
      this.#writer.add(stat);
    } else if (old) {
      // With the base's attributes, which are what the file has and what its digest covers.
      this.#entries.push(old);
      this.#writer.relink(stat, `${this.#base!.dir}/${stat.path}`);
    } else {
      this.#pending.set(id, { file: this.#writer.file(stat), index: this.#entries.length });
      this.#entries.push(stat);
      this.#request(id);
    }
  }
}

function readBase({ dir, list }: SyncBase): Base | undefined {
  const entries = decodeList(list);
  return entries && { dir, entries };
}
