/**
 * The counted handles that callers hold. A handle knows its entry and the desk that serves it; using it after it was
 * disposed, committed or disposed twice is an error that says so.
 */
import type { LayerStack, Mount } from '../contracts/mount.js';
import type { Progress } from '../contracts/progress.js';
import type { ImmutableRef, LayerOptions, MutableRef, RefLayers, RefMetadata } from '../contracts/refs.js';
import { refReleased } from './errors.js';
import type { HandleTracker } from './handle-tracker.js';
import { stackOf } from './mount-stack.js';
import type { Entry } from './record.js';

/** What handles ask of the store. */
export interface RefDesk {
  readonly workerId: string;
  readonly tracker: HandleTracker;
  metadata(entry: Entry): RefMetadata;
  mounts(entry: Entry, progress: Progress, signal: AbortSignal): Promise<readonly Mount[]>;
  layers(entry: Entry, options: LayerOptions, progress: Progress, signal: AbortSignal): Promise<RefLayers>;
  /** Counts one more handle. */
  acquire(entry: Entry): void;
  /** Counts one handle less. */
  letGo(entry: Entry): void;
  commit(entry: Entry): Promise<void>;
  pack(
    entry: Entry,
    on: ImmutableRef | undefined,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers>;
  retain(entry: Entry): Promise<void>;
  /** One handle less, and the record goes with it. */
  discard(entry: Entry): Promise<void>;
}

class Handle {
  readonly entry: Entry;
  readonly desk: RefDesk;
  readonly #tracked: Disposable;
  #open = true;

  constructor(entry: Entry, desk: RefDesk) {
    this.entry = entry;
    this.desk = desk;
    this.#tracked = desk.tracker.opened(entry.id);
  }

  get open(): boolean {
    return this.#open;
  }

  assertOpen(): Entry {
    if (!this.#open) throw refReleased(this.entry.id);
    return this.entry;
  }

  close(): Entry {
    this.assertOpen();
    this.#open = false;
    this.#tracked[Symbol.dispose]();
    return this.entry;
  }
}

export class ImmutableHandle implements ImmutableRef {
  readonly mutable = false;
  readonly id: string;
  readonly workerId: string;
  readonly metadata: RefMetadata;
  readonly #handle: Handle;

  /** The entry already counts this handle. */
  constructor(entry: Entry, desk: RefDesk) {
    this.id = entry.id;
    this.workerId = desk.workerId;
    this.metadata = desk.metadata(entry);
    this.#handle = new Handle(entry, desk);
  }

  get lazy(): boolean {
    return this.#handle.entry.record.lazy;
  }

  clone(): ImmutableRef {
    const entry = this.#handle.assertOpen();
    this.#handle.desk.acquire(entry);
    return new ImmutableHandle(entry, this.#handle.desk);
  }

  async mounts(progress: Progress, signal: AbortSignal): Promise<readonly Mount[]> {
    return this.#handle.desk.mounts(this.#handle.assertOpen(), progress, signal);
  }

  async view(progress: Progress, signal: AbortSignal): Promise<LayerStack> {
    return stackOf(await this.mounts(progress, signal));
  }

  async layers(options: LayerOptions, progress: Progress, signal: AbortSignal): Promise<RefLayers> {
    return this.#handle.desk.layers(this.#handle.assertOpen(), options, progress, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handle.desk.letGo(this.#handle.close());
  }
}

export class MutableHandle implements MutableRef {
  readonly mutable = true;
  readonly id: string;
  readonly workerId: string;
  readonly metadata: RefMetadata;
  readonly #handle: Handle;
  #retained = false;
  #committed = false;

  /** The entry already counts this handle. */
  constructor(entry: Entry, desk: RefDesk) {
    this.id = entry.id;
    this.workerId = desk.workerId;
    this.metadata = desk.metadata(entry);
    this.#handle = new Handle(entry, desk);
  }

  async mounts(progress: Progress, signal: AbortSignal): Promise<readonly Mount[]> {
    return this.#handle.desk.mounts(this.#handle.assertOpen(), progress, signal);
  }

  async view(progress: Progress, signal: AbortSignal): Promise<LayerStack> {
    return stackOf(await this.mounts(progress, signal));
  }

  async commit(): Promise<ImmutableRef> {
    const { desk } = this.#handle;
    await desk.commit(this.#handle.assertOpen());
    this.#committed = true;
    // The count of this handle goes over to the new one.
    return new ImmutableHandle(this.#handle.close(), desk);
  }

  async pack(
    on: ImmutableRef | undefined,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers> {
    return this.#handle.desk.pack(this.#handle.assertOpen(), on, options, progress, signal);
  }

  async retain(): Promise<void> {
    await this.#handle.desk.retain(this.#handle.assertOpen());
    this.#retained = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#committed) return;
    const entry = this.#handle.close();
    if (this.#retained) this.#handle.desk.letGo(entry);
    else await this.#handle.desk.discard(entry);
  }
}
