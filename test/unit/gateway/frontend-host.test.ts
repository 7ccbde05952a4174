/** Frontends that are programs: `gateway.v0` with programs that a test plays, over the stdio of a fake container. */
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { RemoteGateway } from '../../../client/gateway/remote-gateway.js';
import { frontendOpts } from '../../../client/gateway/run-frontend.js';
import { StreamBridge } from '../../../client/gateway/stream-bridge.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ExecIo, ExecResult, ExecSpec } from '../../../core/contracts/executor.js';
import type { Frontend, FrontendRequest } from '../../../core/contracts/frontend.js';
import type { Logger } from '../../../core/contracts/logger.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Source } from '../../../core/contracts/source.js';
import { Bridge } from '../../../core/gateway/bridge.js';
import { ContainerFrontends } from '../../../core/gateway/frontend-host.js';
import { deferred } from '../../../core/util/deferred.js';
import { GatewayFrontend } from '../../../plugins/frontends/gateway/frontend.js';
import { decodeDefinition } from '../../../proto/definition.js';
import { contributions, fakeServices } from '../llb/services.js';
import { FakeJob, imageDigest, local } from './fakes.js';

const never = new AbortController().signal;
const failure = async (work: Promise<unknown>): Promise<BuildError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return error;
  throw new Error(`expected a BuildError, got ${error}`);
};

/** What a container's process has for stdin and stdout. */
function stdioOf(io: ExecIo): Duplex {
  const stream = new Duplex({
    read() {},
    write: (data: Buffer, _encoding, done) => {
      void io.stdout(data);
      done();
    },
  });
  void (async () => {
    for await (const data of io.stdin ?? []) stream.push(data);
    stream.push(null);
  })();
  return stream;
}

const envOf = (spec: ExecSpec): Record<string, string> =>
  Object.fromEntries(spec.process.env.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]));

describe('gateway.v0', () => {
  let job: FakeJob;
  let services: ReturnType<typeof fakeServices>;
  let bridge: Bridge;
  let config: object;
  let logged: string[];
  /** Plays the program; answers its exit code. */
  let program: (spec: ExecSpec, io: ExecIo, signal: AbortSignal) => Promise<number>;

  beforeEach(() => {
    job = new FakeJob();
    config = { Entrypoint: ['/bin/frontend'], Env: ['A=b'], WorkingDir: '/work' };
    const image: Source = {
      open: () => ({ cacheKey: async () => ({ key: 'k', done: true }), fetch: async () => undefined }),
      resolve: async ({ name }, { steps, logName }) =>
        steps.step(logName, async () => ({
          identifier: `docker-image://${name}@${imageDigest}`,
          image: { digest: imageDigest, config: Buffer.from(JSON.stringify({ config })) },
        })),
    };
    services = fakeServices({ sources: { local: { ...image }, 'docker-image': image } });
    job.answer = async () => services.worker.refs.make({ '/bin/frontend': 'x' });
    logged = [];
    const logger: Logger = { ...silentLogger, info: (text) => logged.push(text) };
    services.worker.begin = async (spec, io, signal) => ({
      ended: program(spec, io, signal).then((exitCode): ExecResult => ({ exitCode, oomKilled: false })),
      signal() {},
      resize() {},
      exec: () => Promise.reject(new Error('nothing more runs in it')),
    });
    const host = new ContainerFrontends(services.workers, logger);
    const gatewayFrontend = new GatewayFrontend(host, []);
    bridge = new Bridge({
      job,
      services,
      frontends: contributions<Frontend>({ 'gateway.v0': gatewayFrontend }),
      sessionId: 'session1',
      entitlements: new Set(),
    });
  });
  afterEach(() => bridge[Symbol.asyncDispose]());

  const solve = (
    opts: Record<string, string> = {},
    inputs: FrontendRequest['inputs'] = new Map(),
    signal = never,
  ) => bridge.solve({ frontend: 'gateway.v0', opts: { source: 'my/frontend', ...opts }, inputs }, signal);

  /** A program that talks over its stdio as real ones do. */
  const plays =
    (
      work: (gateway: RemoteGateway, spec: ExecSpec) => ReturnType<Frontend['solve']>,
      exitCode = 0,
    ): typeof program =>
    async (spec, io, signal) => {
      await using connection = new StreamBridge(stdioOf(io));
      await using gateway = await RemoteGateway.open(connection, 'session1', signal);
      await gateway.finish(() => work(gateway, spec), signal);
      return exitCode;
    };
  const metadata = new Map([['said', Buffer.from('hello')]]);

  it('runs the program of an image and answers what it returns', async () => {
    program = plays(async (gateway) => ({
      ref: (await gateway.solve({ definition: local('ctx') }, never)).ref,
      metadata,
    }));
    const result = await solve();
    expect(result.metadata.get('said')?.toString()).to.equal('hello');
    expect(bridge.ref(result.ref?.id ?? '')).to.equal(result.ref);
    expect(job.steppedNames).to.deep.equal([
      'resolve image config for docker-image://docker.io/my/frontend:latest',
    ]);
  });

  it('gives it what frontends expect: entry point, options, session, workers, inputs, its own definition', async () => {
    let inputs: FrontendRequest['inputs'] | undefined;
    let seen: ExecSpec | undefined;
    program = plays(async (gateway, spec) => {
      seen = spec;
      inputs = await gateway.inputs(never);
      return { metadata };
    });
    config = { ...config, Labels: { 'moby.buildkit.frontend.caps': 'moby.buildkit.frontend.inputs' } };
    await solve({ target: 'a=b' }, new Map([['base', local('base')]]));
    expect(seen?.process).to.deep.include({ args: ['/bin/frontend'], cwd: '/work', network: 'sandbox' });
    const env = envOf(seen!);
    expect(frontendOpts(env)).to.deep.equal({ source: 'my/frontend', target: 'a=b' });
    expect(env).to.include({ A: 'b', BUILDKIT_SESSION_ID: 'session1', BUILDKIT_EXPORTEDPRODUCT: 'buildkit' });
    expect(JSON.parse(env.BUILDKIT_WORKERS ?? '')[0]).to.include({ id: 'worker' });
    expect(inputs?.get('base')?.def).to.deep.equal(local('base').def);
    const [file] = seen?.mounts ?? [];
    expect(file).to.include({
      kind: 'file',
      dest: '/run/config/buildkit/metadata/frontend.bin',
      mode: 0o400,
    });
    const own = file?.kind === 'file' ? decodeDefinition(file.data) : undefined;
    expect(Buffer.from(own?.def[0] ?? []).toString()).to.contain(`my/frontend:latest@${imageDigest}`);
  });

  it('starts /run of an image without entry point, and no network where its label says so', async () => {
    config = { Labels: { 'moby.buildkit.frontend.network.none': 'true' } };
    let seen: ExecSpec | undefined;
    program = plays(async (_, spec) => {
      seen = spec;
      return { metadata };
    });
    await solve();
    expect(seen?.process).to.deep.include({ args: ['/run'], cwd: '/', network: 'none' });
  });

  it('refuses an image that lacks what the client needs', async () => {
    const error = await failure(solve({ 'frontend.caps': 'moby.buildkit.frontend.contexts+forward' }));
    expect(error.grpcCode).to.equal('Unimplemented');
    expect(error.details.at(-1)).to.deep.equal({
      type: 'frontend-cap',
      name: 'moby.buildkit.frontend.contexts',
    });
    expect((await failure(solve({}, new Map([['a', local('a')]])))).message).to.equal(
      'unsupported frontend capability moby.buildkit.frontend.inputs',
    );
  });

  it('passes errors through the program, details and all', async () => {
    const first = job.answer;
    let solves = 0;
    job.answer = async (edge, signal) => {
      if (solves++ === 0) return first(edge, signal);
      throw new BuildError('exec.exit', 'process "x" did not complete successfully: exit code: 7', {
        details: [{ type: 'exit', exitCode: 7 }],
      });
    };
    program = plays(async (gateway) => {
      const { ref } = await gateway.solve({ definition: local('ctx') }, never);
      await ref?.evaluate(never);
      return { metadata };
    }, 1);
    const error = await failure(solve());
    expect(error.message).to.equal('process "x" did not complete successfully: exit code: 7');
    expect(error.details).to.deep.equal([
      { type: 'frontend', name: 'gateway.v0', source: 'my/frontend' },
      { type: 'exit', exitCode: 7 },
    ]);
  });

  it('fails when the program fails, whatever it returned', async () => {
    program = plays(async () => ({ metadata }), 3);
    const error = await failure(solve());
    expect(error.message).to.equal('exit code: 3');
    expect(error.details.at(-1)).to.deep.equal({ type: 'exit', exitCode: 3 });
  });

  it('fails when the program ends without an answer', async () => {
    program = async () => 0;
    expect((await failure(solve())).message).to.equal('no result for incomplete build');
  });

  it('logs what the program prints beside its messages', async () => {
    program = async (_spec, io) => {
      await io.stderr(Buffer.from('first\nsec'));
      await io.stderr(Buffer.from('ond'));
      return 1;
    };
    const error = await failure(solve());
    expect(logged).to.deep.equal(['first', 'second']);
    expect(error.hint).to.equal('The frontend said last: second');
  });

  it('stops the program with the build, and leaves nothing of it', async () => {
    const abort = new AbortController();
    const running = deferred<void>();
    program = (_spec, _io, signal) => {
      running.resolve();
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new BuildError('canceled', 'context canceled'))),
      );
    };
    const solving = solve({}, new Map(), abort.signal);
    await running.promise;
    abort.abort();
    expect((await failure(solving)).code).to.equal('canceled');
    await bridge[Symbol.asyncDispose]();
    expect(services.worker.refs.live).to.equal(0);
  });

  it('takes the program from where the client says', async () => {
    program = plays(async () => ({ metadata }));
    config = { Labels: { 'moby.buildkit.frontend.caps': 'moby.buildkit.frontend.inputs' } };
    await solve({ 'context:my/frontend': 'docker-image://other' });
    expect(job.steppedNames.at(-1)).to.equal(
      'resolve image config for docker-image://docker.io/library/other:latest',
    );
    const unsupported = await failure(solve({ 'context:my/frontend': 'local:x' }));
    expect(unsupported.message).to.equal('a frontend cannot come from the context local:x');
  });

  it('runs only what the daemon allows', async () => {
    const host = { run: () => Promise.reject(new Error('it was run')) };
    const frontend = new GatewayFrontend(host, ['docker.io/my/frontend']);
    const request = (source: string): FrontendRequest => ({ opts: { source }, inputs: new Map() });
    expect((await failure(frontend.solve(bridge, request('other/frontend:1'), never))).message).to.equal(
      "'other/frontend:1' is not an allowed gateway source",
    );
  });
});
