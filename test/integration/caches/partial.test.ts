/** Caches of builds that fail, or that still run: what had completed is there for others. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { deferred } from '../../../core/util/deferred.js';
import { buildArgs, ranSteps, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, programs, run, start } from '../support/processes.js';

const dockerfile = (base: string, last: string): string => `
FROM ${base} AS base
RUN echo tools >/tools

FROM base AS side
COPY in.txt /in
RUN cat /tools /in >/side

FROM base AS early
COPY --from=side /side /side
RUN cat /side >/both

FROM early
${last}
`;

/** A file that comes when it is told to. */
class LateFile implements AsyncDisposable {
  readonly #server: Server;
  readonly #asked = deferred<void>();
  readonly #released = deferred<void>();

  private constructor() {
    this.#server = createServer(async (_request, response) => {
      this.#asked.resolve();
      await this.#released.promise;
      response.end('late\n');
    });
  }

  static async serve(): Promise<LateFile> {
    const file = new LateFile();
    await once(file.#server.listen(0, '127.0.0.1'), 'listening');
    return file;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/late`;
  }

  /** Somebody wants it. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface Row {
  readonly name: string;
  readonly started?: string;
  readonly completed?: string;
}

/** They are bytes, as other clients print them. */
const warningsOf = ({ stderr }: Finished): readonly string[] =>
  [...stderr.matchAll(/"short":"([^"]*)"/g)].map(([, text]) => Buffer.from(text!, 'base64').toString());

/** Resolves when something is exported that was begun after this step had completed. */
async function exportedAfter(step: string, build: ChildProcess): Promise<void> {
  let done: number | undefined;
  for await (const line of createInterface({ input: build.stderr! })) {
    if (!line.startsWith('{')) continue;
    const { vertexes = [] } = JSON.parse(line) as { readonly vertexes?: readonly Row[] };
    for (const { name, started = '', completed } of vertexes) {
      if (completed === undefined) continue;
      if (name.endsWith(step)) done = Date.parse(completed);
      const isExport = name.endsWith(': what is done so far');
      if (isExport && done !== undefined && Date.parse(started) >= done) return;
    }
  }
  throw new Error('the build ended before that');
}

overWorkers('a cache without a result', function (worker) {
  this.timeout(120_000);
  let ground: Ground;
  let config: string;
  let made = 0;
  before(async () => {
    ground = await Ground.open('partial-cache', worker);
    config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
  });
  after(() => ground[Symbol.asyncDispose]());

  const context = (last: string): Promise<string> =>
    ground.write(`context${made++}`, { Dockerfile: dockerfile(ground.base, last), 'in.txt': 'in\n' });
  const fresh = (): Promise<DaemonProcess> => ground.daemon(`daemon${made++}`, { config });

  async function buildFresh(folder: string, ...args: readonly string[]): Promise<Finished> {
    await using daemon = await fresh();
    return await run(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder }), ...args]);
  }
  const ref = (tag: string): string => `${ground.registry.address}/cache/partial:${tag}`;

  const places = (): readonly (readonly [out: string, back: string])[] => [
    [`type=registry,ref=${ref('failed')}`, `type=registry,ref=${ref('failed')}`],
    [`type=local,dest=${ground.path('failed')}`, `type=local,src=${ground.path('failed')}`],
  ];
  for (const [at, type] of ['registry', 'local'].entries()) {
    it(`of a build that has failed is all that it had done (${type})`, async () => {
      const [out, back] = places()[at]!;
      const failed = await buildFresh(await context('RUN false'), `--export-cache=${out},on-failure=true`);
      expect(failed.code).to.equal(1);
      expect(failed.stderr).to.contain('process "/bin/sh -c false" did not complete successfully');
      expect(stepsOf(failed.stderr).map(({ name }) => name)).to.include(
        type === 'local'
          ? 'exporting cache to client directory: what the failed build has done'
          : 'exporting cache to registry: what the failed build has done',
      );
      const mended = await buildFresh(await context('RUN true'), `--import-cache=${back}`);
      expect(ranSteps(mended), mended.stderr).to.deep.equal(['RUN true']);
    });
  }

  it('of a build that fails is none unless it is asked for', async () => {
    const folder = await context('RUN false');
    const failed = await buildFresh(folder, `--export-cache=type=registry,ref=${ref('never')},mode=max`);
    expect(failed.code).to.equal(1);
    expect(failed.stderr).not.to.contain('exporting cache');
  });

  it('that cannot be exported hides nothing of why the build failed', async () => {
    // There is a file where the client would make a folder.
    const dest = await ground.write('occupied', { blobs: '' });
    const nowhere = `type=local,dest=${dest},on-failure=true`;
    const failed = await buildFresh(await context('RUN false'), `--export-cache=${nowhere}`);
    expect(failed.code).to.equal(1);
    expect(failed.stderr).to.contain('process "/bin/sh -c false" did not complete successfully');
    expect(warningsOf(failed).join()).to.contain('what the failed build has done was not exported: ');
  });

  it('is refused where it would have to be in an image', async () => {
    const refused = await buildFresh(await context('RUN true'), '--export-cache=type=inline,on-failure=true');
    expect([refused.code, /inline cache: on-failure/.test(refused.stderr)]).to.deep.equal([1, true]);
  });

  it('of a build that still runs is what it has done by then', async () => {
    await using late = await LateFile.serve();
    const folder = await context(`ADD ${late.url} /late`);
    await using daemon = await fresh();
    const spec = `type=registry,ref=${ref('running')},every=1s`;
    const args = buildArgs({ folder, args: [`--export-cache=${spec}`] });
    const build = start(programs.buildctl, ['--addr', daemon.address, ...args]);
    const ended = once(build, 'close');
    await exportedAfter('RUN cat /side >/both', build);
    await late.asked;
    const other = await buildFresh(
      folder,
      ...['--opt', 'target=early', `--import-cache=type=registry,ref=${ref('running')}`],
    );
    expect([other.code, ranSteps(other)]).to.deep.equal([0, []]);
    expect(build.exitCode).to.equal(null);
    late.release();
    build.stderr!.resume();
    expect(await ended).to.deep.equal([0, null]);
  });

  it('of a build that is canceled is none', async () => {
    await using late = await LateFile.serve();
    const folder = await context(`ADD ${late.url} /late`);
    const spec = `type=registry,ref=${ref('canceled')},on-failure=true`;
    const args = buildArgs({ folder, args: [`--export-cache=${spec}`] });
    {
      await using daemon = await fresh();
      const build = start(programs.buildctl, ['--addr', daemon.address, ...args]);
      build.stderr!.resume();
      const ended = once(build, 'close');
      await late.asked;
      build.kill('SIGINT');
      await ended;
    }
    const { status } = await fetch(`http://${ground.registry.address}/v2/cache/partial/manifests/canceled`);
    expect(status).to.equal(404);
  });
});
