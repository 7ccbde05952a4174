/**
 * The receiving end of a tree transfer, without the stream: fed with entries and data, it asks for content through
 * `request` and writes through a {@link TreeWriter}. Synchronous: for worker threads.
 *
 * 1. The list is checked before anything is done with it.
 * 2. With a `base`, nothing is written until the first difference; if there is none, nothing ever is, and there need
 *    be no destination. Once it is `waiting`, the receiver must be given one before anything else.
 * 3. What equals the base is hard-linked from there, so content is requested for the rest only. With the differ `none`
 *    metadata prove nothing: small files are requested and held until they turn out to be the same.
 */
import { invalid } from '../contracts/errors.js';
import type { FileStat, ReceivedEntry } from '../contracts/refs.js';
import type { FolderRequest, SyncBase, SyncResult } from '../contracts/session.js';
import type { ThreadContext } from '../contracts/threads.js';
import { BaseList } from './base-list.js';
import { HeldContent } from './held-content.js';
import { comparePaths } from './path-order.js';
import { encodeList } from './received-list.js';
import { sameFile } from './same-file.js';
import { TreeCatalog } from './tree-catalog.js';
import { TreeOrder } from './tree-order.js';
import { hasContent, type IncomingFile, TreeWriter, type WriteMode } from './tree-writer.js';

export interface ReceiveTreeArgs {
  /** Absent: asked for when there is something to write. */
  readonly dest?: string;
  readonly mode: WriteMode;
  /** Hash files on the way, and answer the list. */
  readonly digests: boolean;
  readonly base?: SyncBase;
  /** How files are compared with the base's. */
  readonly differ?: FolderRequest['differ'];
  /** Only what these match is brought, and a catalog of everything; without a base. */
  readonly contentOf?: readonly string[];
  /** Everything is written as this user's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** For a folder of a client. */
export const receiveArgs = (
  { differ, contentOf }: FolderRequest,
  base: SyncBase | undefined,
): Omit<ReceiveTreeArgs, 'dest'> => ({
  mode: 'fresh',
  digests: true,
  differ,
  ...(base && !contentOf ? { base } : {}),
  ...(contentOf ? { contentOf } : {}),
});

interface Pending {
  readonly file: IncomingFile;
  /** Where the entry stands in the result. */
  readonly index: number;
}

/** What is not written yet. */
interface Held {
  readonly id: number;
  readonly stat: FileStat;
  /** Its equal in the base. */
  readonly old: ReceivedEntry | undefined;
  readonly content?: HeldContent;
}

/** As much content is held, in bytes: differ `none` is for Dockerfiles. */
const MAX_HELD = 1 << 20;
const nothing = new Uint8Array();

export class TreeReceiver implements Disposable {
  readonly #args: ReceiveTreeArgs;
  readonly #base: BaseList | undefined;
  readonly #catalog: TreeCatalog | undefined;
  readonly #request: (id: number) => void;
  readonly #order = new TreeOrder();
  readonly #entries: ReceivedEntry[] = [];
  readonly #pending = new Map<number, Pending>();
  #held: Held[] = [];
  #heldBytes = 0;
  #writer: TreeWriter | undefined;
  #waiting: boolean;
  #nextId = 0;
  #listed = false;

  constructor(args: ReceiveTreeArgs, request: (id: number) => void) {
    this.#args = args;
    this.#base = args.base && BaseList.read(args.base);
    this.#catalog = args.contentOf && new TreeCatalog(args.contentOf);
    this.#request = request;
    this.#waiting = this.#base === undefined;
  }

  /** It has something to write: `open` is due. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Names the destination, in which what was held back goes. */
  open(dest: string): void {
    this.#waiting = false;
    this.#writer = new TreeWriter({ ...this.#args, dest });
    const held = this.#held;
    this.#held = [];
    for (const item of held) this.#release(item, this.#writer);
  }

  /** The next entry of the list. */
  entry(received: FileStat): void {
    if (this.#listed) throw invalid('transfer.order', 'an entry follows the end of the list');
    this.#order.check(received);
    const id = this.#nextId++;
    if (!this.#catalog) this.#bring(id, received);
    // Only the last of them has content.
    else for (const stat of this.#catalog.select(received)) this.#bring(id, stat);
  }

  #bring(id: number, received: FileStat): void {
    const { owner } = this.#args;
    const item = this.#compared(id, owner ? { ...received, ...owner } : received);
    if (this.#writer) this.#release(item, this.#writer);
    else {
      this.#held.push(item);
      if (!item.old || this.#base!.passed) this.#waiting = true;
    }
  }

  /** The list is complete. */
  listed(): void {
    this.#listed = true;
    if (!this.#writer && this.#base?.more) this.#waiting = true;
  }

  /** Content of file `id`; empty at its end. */
  data(id: number, data: Uint8Array): void {
    const pending = this.#pending.get(id);
    if (!pending) throw invalid('transfer.request', `invalid file request ${id}`);
    const { file, index } = pending;
    if (data.length > 0) {
      file.write(data);
      // Rule 3; a sender may send more than it said.
      if (file instanceof HeldContent && file.size > MAX_HELD) this.#waiting = true;
      return;
    }
    this.#pending.delete(id);
    const recordSha256 = file.close();
    if (file instanceof HeldContent) this.#compareHeld(index, recordSha256);
    else if (recordSha256 !== undefined) this.#entries[index] = { ...this.#entries[index]!, recordSha256 };
  }

  /** Nothing more is expected. */
  get complete(): boolean {
    return this.#listed && this.#pending.size === 0;
  }

  /** Call once, when complete. */
  finish(): SyncResult {
    if (!this.#writer) return { unchanged: true };
    if (this.#catalog) this.#write(this.#catalog.file(), this.#writer);
    this.#writer.finish();
    return { unchanged: false, list: this.#args.digests ? encodeList(this.#entries) : nothing };
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
  }

  /** A file of our own, at its place in the list. */
  #write({ stat, data }: ReturnType<TreeCatalog['file']>, writer: TreeWriter): void {
    const file = writer.file(stat);
    file.write(data);
    const recordSha256 = file.close();
    const after = this.#entries.findIndex(({ path }) => comparePaths(path, stat.path) > 0);
    const at = after < 0 ? this.#entries.length : after;
    this.#entries.splice(at, 0, recordSha256 === undefined ? stat : { ...stat, recordSha256 });
  }

  #compared(id: number, stat: FileStat): Held {
    const found = this.#base?.find(stat.path);
    const old = found && sameFile(found, stat) ? found : undefined;
    if (!old || this.#args.differ !== 'none' || !hasContent(stat)) return { id, stat, old };
    this.#heldBytes += stat.size;
    if (this.#writer || this.#waiting || this.#heldBytes > MAX_HELD) return { id, stat, old: undefined };
    const content = new HeldContent(stat);
    this.#pending.set(id, { file: content, index: this.#held.length });
    this.#request(id);
    return { id, stat, old, content };
  }

  /** The content of what is held at `index` is complete. */
  #compareHeld(index: number, recordSha256: string | undefined): void {
    const item = this.#held[index]!;
    if (item.old?.recordSha256 === recordSha256) {
      const { content: _, ...same } = item;
      this.#held[index] = same;
    } else {
      this.#held[index] = { ...item, old: undefined };
      this.#waiting = true;
    }
  }

  #release({ id, stat, old, content }: Held, writer: TreeWriter): void {
    const index = this.#entries.length;
    if (!hasContent(stat)) {
      this.#entries.push(stat);
      writer.add(stat);
    } else if (old && !content) {
      // With the base's attributes, which are what the file has and what its digest covers.
      this.#entries.push(old);
      writer.relink(stat, `${this.#base!.dir}/${stat.path}`);
    } else {
      const file = writer.file(stat);
      this.#entries.push(stat);
      const complete = content && !this.#pending.has(id);
      this.#pending.set(id, { file, index });
      if (!content) this.#request(id);
      content?.moveTo(file);
      if (complete) this.data(id, nothing);
    }
  }
}

/** Gives a receiver its destination when it needs one: the one that is known, or the one that the caller makes. */
export async function openIfDue(
  receiver: TreeReceiver,
  { dest }: ReceiveTreeArgs,
  context: ThreadContext,
): Promise<void> {
  if (receiver.waiting) receiver.open(dest ?? ((await context.ask('dest')) as string));
}
