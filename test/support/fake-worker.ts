/** A worker whose parts are told by the test what to do, and remember what they were asked. */
import type { ExecIo, ExecResult, ExecSpec } from '../../core/contracts/executor.js';
import { type FileAction, FileStepError } from '../../core/contracts/files.js';
import type { ImmutableRef, MutableRef } from '../../core/contracts/refs.js';
import type { Worker, WorkerProfile, Workers } from '../../core/contracts/worker.js';
import { sha256 } from '../../core/util/digest.js';
import { defaultPlatform, type Platform } from '../../core/util/platform.js';
import { FakeRefs } from './fake-refs.js';

export interface AppliedAction {
  readonly target: string;
  readonly action: FileAction;
  readonly source: string | undefined;
}

export class FakeWorker implements Worker {
  readonly profile: WorkerProfile;
  readonly refs: FakeRefs;
  readonly specs: ExecSpec[] = [];
  readonly applied: AppliedAction[] = [];
  /** How many of them came in each call. */
  readonly batches: number[] = [];
  readonly snapshotter = undefined as never;
  readonly differ = undefined as never;

  /** Replace these. */
  run: (spec: ExecSpec, io: ExecIo, signal: AbortSignal) => Promise<ExecResult> = async () => ({
    exitCode: 0,
    oomKilled: false,
  });
  begin: Worker['executor']['begin'] = async (spec, io, signal) => ({
    ended: this.run(spec, io, signal),
    signal() {},
    resize() {},
    exec: () => Promise.reject(new Error('nothing more runs in it')),
  });
  apply: (target: MutableRef, action: FileAction) => void | Promise<void> = () => {};

  constructor(
    id = 'worker',
    labels: Readonly<Record<string, string>> = {},
    platforms: readonly Platform[] = [defaultPlatform()],
  ) {
    this.profile = { id, labels, platforms, maxParallelism: 0 };
    this.refs = new FakeRefs(id);
  }

  readonly executor: Worker['executor'] = {
    run: (spec, io, signal) => {
      this.specs.push(spec);
      return this.run(spec, io, signal);
    },
    begin: (spec, io, signal) => {
      this.specs.push(spec);
      return this.begin(spec, io, signal);
    },
  };

  /** Digests name what was asked. */
  readonly hasher: { -readonly [K in keyof Worker['hasher']]: Worker['hasher'][K] } = {
    digest: async (ref, path, options) => sha256(JSON.stringify([ref?.id, path, options])),
  };

  readonly files: Worker['files'] = {
    apply: async (target, steps) => {
      this.batches.push(steps.length);
      for (const [position, { action, source }] of steps.entries()) {
        this.applied.push({ target: target.id, action, source: source?.id });
        try {
          await this.apply(target, action);
        } catch (error) {
          throw new FileStepError(position, error);
        }
      }
    },
    readFile: async (ref, path, { offset, length }) => {
      const data = Buffer.from(this.#file(ref, path), 'latin1');
      return data.subarray(offset, length === undefined ? undefined : offset + length);
    },
    readDir: async (ref) => [...this.refs.tree(ref).keys()].map((path) => stat(path, this.#file(ref, path))),
    statFile: async (ref, path) => stat(path, this.#file(ref, path)),
  };

  #file(ref: ImmutableRef, path: string): string {
    const data = this.refs.tree(ref).get(path);
    if (data === undefined) throw new Error(`${path}: no such file`);
    return data;
  }
}

const stat = (path: string, data: string): Awaited<ReturnType<Worker['files']['statFile']>> => ({
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: data.length,
  modTime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
});

export const fakeWorkers = (...list: readonly [FakeWorker, ...FakeWorker[]]): Workers => ({
  list,
  default: () => list[0],
  get: (id) => list.find((worker) => worker.profile.id === id),
});
