/** A ref store over real directories, in the test's own thread, that can be closed and opened again. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { LocalContentStore } from '../../core/content/content-store.js';
import type { ContentProvider, ContentStore } from '../../core/contracts/content.js';
import type { Kv } from '../../core/contracts/kv.js';
import { silentProgress } from '../../core/contracts/progress.js';
import type {
  ImmutableRef,
  LazyLayer,
  MutableRef,
  PruneOptions,
  RefOptions,
} from '../../core/contracts/refs.js';
import type { Snapshotter } from '../../core/contracts/snapshotter.js';
import { silentTracing } from '../../core/contracts/tracing.js';
import { MemoryKv } from '../../core/kv/memory-kv.js';
import { LocalRefStore, type RefStoreOptions } from '../../core/snapshot/ref-store.js';
import { type Digest, sha256 } from '../../core/util/digest.js';
import { OverlaySnapshotter } from '../../plugins/workers/shared/snapshotters/overlay-snapshotter.js';
import { FakeDiffer, fakeDiffId, fakeLayer } from './fake-differ.js';
import { InlineThreads } from './inline-threads.js';

export const never = new AbortController().signal;

/** Whatever nobody uses goes. */
export const everything: PruneOptions = {
  filter: [],
  all: true,
  keepDurationMs: 0,
  reservedSpace: 0,
  maxUsedSpace: 0,
  minFreeSpace: 0,
};
const settings = { options: [], opaqueName: 'user.overlay.opaque' } as const;

export class RefStoreHome {
  readonly kv: Kv;
  readonly content: LocalContentStore;
  readonly snapshotter: Snapshotter;
  readonly differ: FakeDiffer;
  readonly refs: LocalRefStore;

  private constructor(
    kv: Kv,
    content: LocalContentStore,
    snapshotter: Snapshotter,
    differ: FakeDiffer,
    refs: LocalRefStore,
  ) {
    this.kv = kv;
    this.content = content;
    this.snapshotter = snapshotter;
    this.differ = differ;
    this.refs = refs;
  }

  static async open(
    dir: string,
    kv: Kv = new MemoryKv(),
    options: Partial<RefStoreOptions> = {},
    makeDiffer: (content: ContentStore) => FakeDiffer = (content) => new FakeDiffer(content),
  ): Promise<RefStoreHome> {
    const content =
      options.content instanceof LocalContentStore
        ? options.content
        : await LocalContentStore.open(path.join(dir, 'content'), { kv });
    const home = { dir: path.join(dir, 'snapshots'), id: 'runc', kv, threads: new InlineThreads() };
    const snapshotter = options.snapshotter ?? (await OverlaySnapshotter.open(home, settings));
    const differ = makeDiffer(content);
    const refs = await LocalRefStore.open({
      workerId: 'worker',
      snapshotter,
      differ,
      content,
      kv,
      tracing: silentTracing,
      trackHandles: true,
      ...options,
    });
    return new RefStoreHome(kv, content, snapshotter, differ, refs);
  }

  /** A mutable ref with files in it. */
  async write(
    parent: ImmutableRef | undefined,
    files: Readonly<Record<string, string>>,
    options: Partial<RefOptions> = {},
  ): Promise<MutableRef> {
    const description = options.description ?? Object.keys(files).join(' ');
    const ref = await this.refs.create(parent, { ...options, description }, silentProgress, never);
    const { layers } = await ref.view(silentProgress, never);
    for (const [name, text] of Object.entries(files)) await fs.writeFile(path.join(layers[0]!, name), text);
    return ref;
  }

  async commit(
    parent: ImmutableRef | undefined,
    files: Readonly<Record<string, string>>,
    options: Partial<RefOptions> = {},
  ): Promise<ImmutableRef> {
    return (await this.write(parent, files, options)).commit();
  }

  /** Files of the whole tree, top layers over lower ones. */
  async files(ref: ImmutableRef | MutableRef): Promise<Readonly<Record<string, string>>> {
    const { layers } = await ref.view(silentProgress, never);
    const files: Record<string, string> = {};
    for (const dir of [...layers].reverse()) {
      for (const name of await fs.readdir(dir)) {
        files[name] = await fs.readFile(path.join(dir, name), 'utf8');
      }
    }
    return files;
  }
}

/** Layers that a fake registry has, bottom first. */
export function lazyLayers(
  layers: readonly Readonly<Record<string, string>>[],
  provider: ContentProvider = new FakeRegistry(layers.map((files) => fakeLayer(files))),
): readonly LazyLayer[] {
  return layers.map((files, at) => {
    const data = fakeLayer(files);
    return {
      descriptor: {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: sha256(data),
        size: data.length,
      },
      diffId: fakeDiffId(data),
      createdAt: 1000 + at,
      description: `step ${at}`,
      provider,
    };
  });
}

/** Serves blobs in pieces of 8 bytes and notes what it was asked. */
export class FakeRegistry implements ContentProvider {
  readonly #blobs: ReadonlyMap<Digest, Uint8Array>;
  readonly reads: { readonly digest: Digest; readonly offset: number }[] = [];
  /** Awaited before each piece. */
  gate: (digest: Digest, offset: number, signal: AbortSignal) => Promise<void> = async () => {};

  constructor(blobs: readonly Uint8Array[]) {
    this.#blobs = new Map(blobs.map((data) => [sha256(data), data]));
  }

  async *read(
    { digest }: { readonly digest: Digest },
    range: { readonly offset?: number; readonly length?: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    this.reads.push({ digest, offset: range.offset ?? 0 });
    const data = this.#blobs.get(digest)!;
    const end = range.length === undefined ? data.length : (range.offset ?? 0) + range.length;
    for (let at = range.offset ?? 0; at < end; at += 8) {
      await this.gate(digest, at, signal);
      signal.throwIfAborted();
      yield data.subarray(at, Math.min(at + 8, end));
    }
  }
}
