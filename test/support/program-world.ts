/** A place to run {@link ProgramRun}s in: a real ref store, differ and snapshotter, in the test's own thread. */
import fs from 'node:fs';
import path from 'node:path';
import { LocalContentStore } from '../../core/content/content-store.js';
import { StackDiffer } from '../../core/content/layer/stack-differ.js';
import type { Snapshotter } from '../../core/contracts/snapshotter.js';
import { silentTracing } from '../../core/contracts/tracing.js';
import { MemoryKv } from '../../core/kv/memory-kv.js';
import { LocalRefStore } from '../../core/snapshot/ref-store.js';
import type { Digest } from '../../core/util/digest.js';
import type { SnapshotterHome } from '../../plugins/workers/shared/snapshotters/snapshotter-home.js';
import { InlineThreads } from './inline-threads.js';
import { type Program, ProgramRun } from './tree-programs.js';
import { makeTempDir } from './trees.js';

export type OpenSnapshotter = (home: SnapshotterHome) => Promise<Snapshotter>;

export class ProgramWorld implements AsyncDisposable {
  readonly dir: string;
  readonly refs: LocalRefStore;
  readonly #content: LocalContentStore;
  #exports = 0;

  private constructor(dir: string, refs: LocalRefStore, content: LocalContentStore) {
    this.dir = dir;
    this.refs = refs;
    this.#content = content;
  }

  static async open(openSnapshotter: OpenSnapshotter): Promise<ProgramWorld> {
    const dir = makeTempDir();
    const kv = new MemoryKv();
    const threads = new InlineThreads();
    const content = await LocalContentStore.open(path.join(dir, 'content'), { kv });
    const snapshotter = await openSnapshotter({ dir: path.join(dir, 'snapshots'), id: 'runc', kv, threads });
    const differ = new StackDiffer({ content, threads });
    const refs = await LocalRefStore.open({
      workerId: 'worker',
      snapshotter,
      differ,
      content,
      kv,
      tracing: silentTracing,
    });
    return new ProgramWorld(dir, refs, content);
  }

  async run(program: Program, view?: (layers: readonly string[]) => readonly string[]): Promise<void> {
    await using run = new ProgramRun(this.refs);
    await run.run(program);
    await run.check(view);
    const target = path.join(this.dir, `export${this.#exports++}`);
    fs.mkdirSync(target);
    await run.checkExport((digest) => fs.readFileSync(this.#content.path(digest as Digest)), target);
    fs.rmSync(target, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refs[Symbol.asyncDispose]();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
