/** A frontend outside of the daemon against LLBBridge as it is served to containers, over a byte stream in memory. */
import { expect } from 'chai';
import { RemoteGateway } from '../../../client/gateway/remote-gateway.js';
import { StreamBridge } from '../../../client/gateway/stream-bridge.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ExecIo, RunningContainer, RunningProcess } from '../../../core/contracts/executor.js';
import type { GatewayContainer } from '../../../core/contracts/gateway-container.js';
import { LlbBridge } from '../../../core/gateway/llb-bridge.js';
import { serveBridge } from '../../../core/gateway/serve-bridge.js';
import { byteStreamOf } from '../../../core/util/byte-stream.js';
import { deferred } from '../../../core/util/deferred.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { chunkPair } from '../../support/tunnel.js';
import { type FakeBuild, fakeBuild, imageDigest, local, localDigest } from './fakes.js';

const signal = new AbortController().signal;
const failure = async (work: Promise<unknown>): Promise<BuildError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return error;
  throw new Error(`expected a BuildError, got ${error}`);
};

/** A process that a test moves on. */
class FakeProcess implements RunningProcess {
  readonly exit = deferred<{ exitCode: number; oomKilled: boolean }>();
  readonly signals: string[] = [];
  readonly sizes: string[] = [];
  readonly io: ExecIo;

  constructor(io: ExecIo, until: AbortSignal) {
    this.io = io;
    until.addEventListener('abort', () => this.exit.reject(new BuildError('canceled', 'context canceled')));
  }

  get ended(): RunningProcess['ended'] {
    return this.exit.promise;
  }

  signal(name: string): void {
    this.signals.push(name);
  }

  resize({ rows, columns }: { readonly rows: number; readonly columns: number }): void {
    this.sizes.push(`${columns}x${rows}`);
  }
}

describe('RemoteGateway', () => {
  let build: FakeBuild;
  let bridge: LlbBridge;
  let gateway: RemoteGateway;
  let owned: DisposeStack;
  let started: FakeProcess[];

  beforeEach(async () => {
    build = fakeBuild();
    build.job.answer = async () => build.services.worker.refs.make({ '/a': 'hello' }, 'tree');
    started = [];
    const begin = (io: ExecIo, until: AbortSignal): FakeProcess => {
      const process = new FakeProcess(io, until);
      started.push(process);
      return process;
    };
    build.services.worker.begin = async (_spec, io, until): Promise<RunningContainer> =>
      Object.assign(begin(io, until), {
        exec: async (_process: unknown, more: ExecIo, end: AbortSignal) => begin(more, end),
      });
    bridge = new LlbBridge(build.bridge, new Map([['base', local('base')]]));
    owned = new DisposeStack();
    const [daemon, frontend] = chunkPair();
    await owned.use(serveBridge(bridge, byteStreamOf(daemon)));
    const connection = await owned.use(new StreamBridge(byteStreamOf(frontend)));
    gateway = await owned.use(await RemoteGateway.open(connection, 'session1', signal));
  });
  afterEach(async () => {
    await bridge[Symbol.asyncDispose]();
    await owned[Symbol.asyncDispose]();
  });

  const container = async (): Promise<GatewayContainer> => {
    const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
    return gateway.newContainer({ mounts: [{ dest: '/', ref }], hostname: 'box' }, signal);
  };

  it('knows the daemon and what its client handed in', async () => {
    expect(gateway.workers.map(({ id }) => id)).to.deep.equal(['worker']);
    expect(gateway.llbCaps.has('exec.mount.cache')).to.equal(true);
    expect((await gateway.inputs(signal)).get('base')?.def).to.deep.equal(local('base').def);
  });

  it('solves, and reads what was solved', async () => {
    const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
    expect(ref?.definition?.def).to.deep.equal(local('ctx').def);
    expect(Buffer.from((await ref?.readFile('/a', {}, signal)) ?? []).toString()).to.equal('hello');
    expect(
      Buffer.from((await ref?.readFile('/a', { offset: 1, length: 2 }, signal)) ?? []).toString(),
    ).to.equal('el');
    expect(await ref?.readFile('/a', { length: 0 }, signal)).to.have.length(0);
    expect(build.job.built).to.have.length(1);
  });

  it('writes references out', async () => {
    const { digest } = await gateway.resolveImageConfig('busybox', { logName: 'row' }, signal);
    expect(digest).to.equal(imageDigest);
    expect(build.resolved[0]?.request.name).to.equal('docker.io/library/busybox:latest');
    expect(build.resolved[0]?.logName).to.equal('row');
  });

  it('gets errors with everything that is in them', async () => {
    const details = [
      { type: 'vertex', digest: localDigest('ctx') },
      { type: 'exit', exitCode: 7 },
    ] as const;
    build.job.answer = async () => {
      throw new BuildError('exec.exit', 'process "x" did not complete successfully: exit code: 7', {
        details,
      });
    };
    const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
    const error = await failure(ref!.evaluate(signal));
    expect(error.message).to.equal('process "x" did not complete successfully: exit code: 7');
    expect(error.details.map(({ type }) => type)).to.deep.equal(['source', 'vertex', 'exit']);
  });

  it('returns what the frontend answers, its warnings told', async () => {
    await gateway.finish(async () => {
      gateway.warn(localDigest('ctx'), { level: 1, short: 'careful', detail: ['very'] });
      const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
      return { ref, metadata: new Map([['k', Buffer.from('v')]]) };
    }, signal);
    const { ref, metadata } = await bridge.returned;
    expect(build.bridge.ref(ref?.id ?? '')).to.equal(ref);
    expect(metadata.get('k')?.toString()).to.equal('v');
    expect(build.job.warnings).to.have.length(1);
  });

  it('returns the error that the frontend throws', async () => {
    const thrown = new BuildError('recipe.invalid', 'no such word', {
      grpcCode: 'InvalidArgument',
      details: [{ type: 'subrequest', name: 'x' }],
    });
    await gateway.finish(async () => Promise.reject(thrown), signal);
    const error = await failure(bridge.returned);
    expect(error).to.include({
      code: 'recipe.invalid',
      message: 'no such word',
      grpcCode: 'InvalidArgument',
    });
    expect(error.details).to.deep.equal([{ type: 'subrequest', name: 'x' }]);
  });

  describe('containers', () => {
    const silent: ExecIo = { stdout() {}, stderr() {} };

    it('run processes with their streams, signals and sizes', async () => {
      const box = await container();
      const heard: string[] = [];
      async function* input(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('in');
      }
      const running = await box.start(
        { args: ['cat'], tty: true },
        {
          stdin: input(),
          stdout: (data) => void heard.push(`1 ${data}`),
          stderr: (data) => void heard.push(`2 ${data}`),
        },
        signal,
      );
      const [process] = started;
      const spec = build.services.worker.specs[0];
      expect(spec?.process).to.deep.include({ args: ['cat'], cwd: '/', hostname: 'box', tty: true });
      expect(spec?.process.env.filter((entry) => /^(PATH|TERM)=/.test(entry))).to.have.length(2);
      const read: string[] = [];
      for await (const data of process?.io.stdin ?? []) read.push(String(data));
      expect(read).to.deep.equal(['in']);
      running.signal('SIGINT');
      running.resize({ rows: 24, columns: 80 });
      await process?.io.stdout(Buffer.from('out'));
      await process?.io.stderr(Buffer.from('err'));
      process?.exit.resolve({ exitCode: 3, oomKilled: false });
      expect((await running.ended).exitCode).to.equal(3);
      expect(heard).to.deep.equal(['1 out', '2 err']);
      expect(process?.signals).to.deep.equal(['SIGINT']);
      expect(process?.sizes).to.deep.equal(['80x24']);
    });

    it('run more processes beside the first', async () => {
      const box = await container();
      const first = await box.start({ args: ['sleep'] }, silent, signal);
      const second = await box.start({ args: ['true'] }, silent, signal);
      expect(build.services.worker.specs).to.have.length(1);
      started[1]?.exit.resolve({ exitCode: 0, oomKilled: false });
      expect((await second.ended).exitCode).to.equal(0);
      started[0]?.exit.resolve({ exitCode: 0, oomKilled: false });
      expect((await first.ended).exitCode).to.equal(0);
    });

    it('end with all that runs in them when they are disposed', async () => {
      const before = build.services.worker.refs.live;
      const box = await container();
      const running = await box.start({ args: ['sleep'] }, silent, signal);
      await box[Symbol.asyncDispose]();
      expect((await failure(running.ended)).message).to.equal('context canceled');
      // What was solved stays with the build.
      expect(build.services.worker.refs.live).to.equal(before + 1);
      expect((await failure(box.start({ args: ['x'] }, silent, signal))).message).to.match(
        /^container ".*" previously released or not created$/,
      );
    });

    it('tell a process that cannot be started as its end', async () => {
      build.services.worker.begin = async () => {
        throw new BuildError('exec.start', 'no such program');
      };
      const box = await container();
      const running = await box.start({ args: ['x'] }, silent, signal);
      expect((await failure(running.ended)).message).to.equal('no such program');
    });

    it('get only what the build was granted', async () => {
      const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
      const mounts = [{ dest: '/', ref }];
      expect((await failure(gateway.newContainer({ mounts, network: 'host' }, signal))).message).to.equal(
        'network.host is not allowed',
      );
      const box = await gateway.newContainer({ mounts }, signal);
      const insecure = box.start({ args: ['x'], security: 'insecure' }, silent, signal);
      expect((await failure(insecure.then(({ ended }) => ended))).message).to.equal(
        'security.insecure is not allowed',
      );
    });

    it('look into the trees of a failed step', async () => {
      const left = build.services.worker.refs.make({ '/left': 'behind' }, 'left');
      build.job.answer = async () => {
        throw new BuildError('exec.exit', 'exit code: 7', {
          details: [{ type: 'solve', inputIds: ['gone'], mountIds: ['left'] }],
        });
      };
      const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
      const error = await failure(ref!.evaluate(signal));
      const solve = error.details.find((detail) => detail.type === 'solve');
      // The step itself is forgotten.
      await left[Symbol.asyncDispose]();
      const mounts = [{ dest: '/', resultId: solve?.mountIds[0] ?? '' }];
      await gateway.newContainer({ mounts }, signal);
      expect(build.services.worker.refs.created.at(-1)?.parent).to.equal('left');
      const unknown = gateway.newContainer({ mounts: [{ dest: '/', resultId: 'tree' }] }, signal);
      expect((await failure(unknown)).message).to.equal(
        'failed to find ref tree for "/" mount: return reference tree not found',
      );
    });
  });
});
