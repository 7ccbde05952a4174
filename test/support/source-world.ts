/** A worker that has nothing but a ref store over real directories, for tests of sources that fill trees. */
import fs from 'node:fs';
import path from 'node:path';
import type { ImmutableRef } from '../../core/contracts/refs.js';
import type { Session } from '../../core/contracts/session.js';
import type { ResolveContext, SourceContext } from '../../core/contracts/source.js';
import type { Worker } from '../../core/contracts/worker.js';
import { RecordedProgress } from './fake-progress.js';
import { fakeSession, group } from './fake-session.js';
import { never, RefStoreHome } from './ref-store-home.js';
import { makeTempDir } from './trees.js';

export class SourceWorld implements AsyncDisposable {
  readonly dir: string;
  readonly home: RefStoreHome;
  readonly progress = new RecordedProgress();

  private constructor(dir: string, home: RefStoreHome) {
    this.dir = dir;
    this.home = home;
  }

  static async open(): Promise<SourceWorld> {
    const dir = makeTempDir();
    return new SourceWorld(dir, await RefStoreHome.open(path.join(dir, 'root')));
  }

  /** A path in the test's own folder. */
  path(...names: readonly string[]): string {
    return path.join(this.dir, ...names);
  }

  get worker(): Worker {
    return { profile: { id: 'worker' }, refs: this.home.refs } as unknown as Worker;
  }

  context(...sessions: readonly string[]): SourceContext {
    return { worker: this.worker, sessions: group(...sessions), progress: this.progress };
  }

  resolveContext(more: Partial<ResolveContext> = {}): ResolveContext {
    return {
      worker: this.worker,
      sessions: group('one'),
      steps: this.progress,
      logName: 'load metadata',
      ...more,
    };
  }

  /** The directory of a tree of one layer; the ref is let go. */
  async dirOf(ref: ImmutableRef | undefined): Promise<string> {
    await using held = ref!;
    return (await held.view(this.progress, never)).layers[0]!;
  }

  /** Descriptions of all records. */
  async records(): Promise<readonly string[]> {
    const usage = await this.home.refs.usage([]);
    return usage.map(({ description, recordType, mutable }) =>
      [recordType, mutable ? 'mutable' : '', description].filter(Boolean).join(' '),
    );
  }

  /** Handles nobody has let go. */
  get openHandles(): number {
    return this.home.refs.openHandles().length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home.refs[Symbol.asyncDispose]();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Names below a directory, folders with a slash, without what is in `.git`. */
export function namesIn(dir: string): readonly string[] {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .map(
      (entry) =>
        `${path.relative(dir, path.join(entry.parentPath, entry.name))}${entry.isDirectory() ? '/' : ''}`,
    )
    .filter((name) => !name.startsWith('.git/') || name === '.git/')
    .sort();
}

/** A session with secrets. */
export const secretSession = (id: string, secrets: Readonly<Record<string, string>>): Session => ({
  ...fakeSession({ id }),
  secrets: {
    get: async (name) => (secrets[name] === undefined ? undefined : Buffer.from(secrets[name])),
  },
});
