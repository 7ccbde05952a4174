/** Bridge, loader, ops and the real solver together, over a worker that only pretends. */
import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { FrontendResult, LlbDefinition } from '../../../core/contracts/frontend.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { Source } from '../../../core/contracts/source.js';
import { silentTracing } from '../../../core/contracts/tracing.js';
import { Bridge } from '../../../core/gateway/bridge.js';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { KeyStore } from '../../../core/solver/keys/key-store.js';
import type { ResultStore } from '../../../core/solver/op.js';
import { Solver } from '../../../core/solver/solver.js';
import { sha256 } from '../../../core/util/digest.js';
import type { FakeWorker } from '../../support/fake-worker.js';
import { opBytes, rootMount } from '../llb/ops.js';
import { contributions, type FakeServices, fakeServices } from '../llb/services.js';

/** Keeps handles instead of writing anything. */
class KeptResults implements ResultStore, AsyncDisposable {
  readonly #kept = new Map<string, ImmutableRef | undefined>();

  async save(result: ImmutableRef | undefined): Promise<string> {
    const id = result?.id ?? 'scratch';
    if (!this.#kept.has(id)) this.#kept.set(id, result?.clone());
    return id;
  }
  async load(id: string): Promise<ImmutableRef | undefined> {
    return this.#kept.get(id)?.clone();
  }
  has(id: string): boolean {
    return this.#kept.has(id);
  }
  async release(id: string): Promise<void> {
    await this.#kept.get(id)?.[Symbol.asyncDispose]();
    this.#kept.delete(id);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#kept.keys()]) await this.release(id);
  }
}

const signal = new AbortController().signal;

describe('a build through bridge and solver', () => {
  let services: FakeServices;
  let worker: FakeWorker;
  let results: KeptResults;
  let solver: Solver;
  let context: Readonly<Record<string, string>>;
  let builds = 0;

  const local: Source = {
    open: () => ({
      cacheKey: async () => ({ key: `session:${builds}`, done: true }),
      fetch: async () => worker.refs.make(context),
    }),
  };

  beforeEach(() => {
    services = fakeServices({ sources: { local } });
    worker = services.worker;
    results = new KeptResults();
    context = { '/a.txt': 'one' };
    worker.run = async (spec) => {
      worker.refs.tree(spec.root.tree as ImmutableRef).set('/made', 'yes');
      return { exitCode: 0, oomKilled: false };
    };
    worker.apply = (target, action) => {
      if (action.kind === 'copy') worker.refs.tree(target).set(action.dest, 'copied');
    };
    // Content decides, not which ref it is in.
    worker.hasher.digest = async (ref) => sha256(JSON.stringify([...worker.refs.tree(ref)]));
    solver = new Solver({
      keys: new KeyStore(new MemoryKv()),
      results,
      tracing: silentTracing,
      logger: silentLogger,
      maxParallelism: 0,
    });
  });

  /** COPY a.txt /copied onto scratch, then RUN make. */
  const definition = (): LlbDefinition => {
    const source = opBytes({ source: { identifier: 'local://context', attrs: { build: `${builds}` } } });
    const copy = opBytes({
      inputs: [{ digest: sha256(source) }],
      file: {
        actions: [{ input: -1, secondaryInput: 0, copy: { src: '/a.txt', dest: '/copied', mode: -1 } }],
      },
    });
    const run = opBytes({
      inputs: [{ digest: sha256(copy) }],
      exec: { meta: { args: ['make'], cwd: '/' }, mounts: [rootMount] },
    });
    return {
      def: [source, copy, run, opBytes({ inputs: [{ digest: sha256(run) }] })],
      metadata: new Map(),
    };
  };

  const build = async <T>(use: (result: FrontendResult, bridge: Bridge) => Promise<T>): Promise<T> => {
    builds++;
    await using job = solver.openJob(`job${builds}`, { sessionId: 'session1' });
    await using bridge = new Bridge({
      job,
      services,
      frontends: contributions({}),
      sessionId: 'session1',
      entitlements: new Set(),
    });
    return await use(await bridge.solve({ definition: definition() }, signal), bridge);
  };
  const readMade = async ({ ref }: FrontendResult): Promise<string> =>
    Buffer.from((await ref?.readFile('/made', {}, signal)) ?? []).toString();

  it('runs every step once, and nothing when nothing changed', async () => {
    expect(await build(readMade)).to.equal('yes');
    expect(worker.specs).to.have.length(1);
    expect(await build(readMade)).to.equal('yes');
    expect(worker.specs).to.have.length(1);
    expect(worker.applied).to.have.length(1);
  });

  it('runs again what the changed content reaches', async () => {
    await build(readMade);
    context = { '/a.txt': 'two' };
    await build(readMade);
    expect(worker.applied).to.have.length(2);
  });

  it('says which step failed, under its digest', async () => {
    worker.run = async () => ({ exitCode: 1, oomKilled: false });
    const error = await build(readMade).catch((reason: unknown) => reason);
    if (!(error instanceof BuildError)) throw error;
    expect(error.message).to.equal('process "make" did not complete successfully: exit code: 1');
    expect(error.details.map(({ type }) => type)).to.deep.equal(['vertex', 'solve', 'exit']);
  });

  it('leaves no tree behind', async () => {
    await build(readMade);
    await solver[Symbol.asyncDispose]();
    await results[Symbol.asyncDispose]();
    expect(worker.refs.live).to.equal(0);
  });
});
