/**
 * Runs a frontend in a container that talks LLBBridge over its stdin and stdout. What decides the outcome, first to last:
 * the error it returned, the failure of its process, the result it returned. BuildKit: frontend/gateway/gateway.go.
 */
import { BuildError } from '../contracts/errors.js';
import type { ExecSpec } from '../contracts/executor.js';
import type { FrontendResult, Gateway } from '../contracts/frontend.js';
import type { FrontendHost, FrontendProgram } from '../contracts/frontend-host.js';
import type { Logger } from '../contracts/logger.js';
import { silentProgress } from '../contracts/progress.js';
import type { Worker, Workers } from '../contracts/worker.js';
import { newId } from '../util/identity.js';
import { Bridge } from './bridge.js';
import { LineLog } from './line-log.js';
import { LlbBridge } from './llb-bridge.js';
import { serveBridge } from './serve-bridge.js';
import { StdioConnection } from './stdio-connection.js';

export class ContainerFrontends implements FrontendHost {
  readonly #workers: Workers;
  readonly #logger: Logger;

  constructor(workers: Workers, logger: Logger) {
    this.#workers = workers;
    this.#logger = logger;
  }

  async run(gateway: Gateway, program: FrontendProgram, signal: AbortSignal): Promise<FrontendResult> {
    if (!(gateway instanceof Bridge)) {
      throw new BuildError('gateway.foreign', 'a frontend can only run for a build of this daemon');
    }
    const tree = await gateway.resolve(program.rootfs, signal);
    const worker = (tree && this.#workers.get(tree.workerId)) ?? this.#workers.default();
    const description = `frontend ${program.name}`;
    await using root = await worker.refs.create(tree, { description }, silentProgress, signal);
    await using bridge = new LlbBridge(gateway, program.inputs);
    try {
      await this.#runProcess(worker, specOf(program, root), bridge, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // What it returned says more than how it ended.
      if (bridge.isReturned) await bridge.returned;
      throw error;
    }
    if (bridge.isReturned) return bridge.returned;
    throw new BuildError('frontend.no-result', 'no result for incomplete build');
  }

  async #runProcess(worker: Worker, spec: ExecSpec, bridge: LlbBridge, signal: AbortSignal): Promise<void> {
    const stdio = new StdioConnection();
    let lastWords = '';
    const log = new LineLog((text) => {
      this.#logger.info(text, { frontend: spec.id });
      if (text.trim() !== '') lastWords = text.trim();
    });
    // The process cannot do anything without its connection.
    const cut = new AbortController();
    await using server = serveBridge(bridge, stdio.stream);
    let running = true;
    void server.closed.then(() => running && cut.abort());
    try {
      const io = { stdin: stdio.stdin, stdout: stdio.stdout, stderr: (data: Uint8Array) => log.write(data) };
      const process = await worker.executor.begin(spec, io, AbortSignal.any([signal, cut.signal]));
      const result = await process.ended;
      log.end();
      if (result.exitCode !== 0) throw exitFailure(result.exitCode, lastWords);
    } catch (error) {
      if (!cut.signal.aborted || signal.aborted) throw error;
      throw new BuildError('frontend.connection', 'frontend grpc server closed unexpectedly', {
        cause: error,
      });
    } finally {
      running = false;
      log.end();
      stdio.end();
    }
  }
}

const exitFailure = (exitCode: number, lastWords: string): BuildError =>
  new BuildError('frontend.exit', `exit code: ${exitCode}`, {
    details: [{ type: 'exit', exitCode }],
    ...(lastWords === '' ? {} : { hint: `The frontend said last: ${lastWords}` }),
  });

function specOf(program: FrontendProgram, tree: ExecSpec['root']['tree']): ExecSpec {
  const { args, env, cwd, network, files } = program;
  return {
    id: newId(),
    process: {
      args,
      env,
      cwd,
      network,
      user: '',
      hostname: '',
      security: 'sandbox',
      extraHosts: [],
      ulimits: [],
      cgroupParent: '',
      resources: {},
      removeMountStubsRecursive: true,
    },
    root: { tree, readonly: false },
    mounts: [...files].map(([dest, data]) => ({ kind: 'file', dest, data, uid: 0, gid: 0, mode: 0o400 })),
    progress: silentProgress,
  };
}
