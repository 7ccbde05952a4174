/** One more process in a container that runs. It ends with the container at the latest. */
import fs from 'node:fs';
import type { TerminalSize } from '../../../../core/contracts/executor.js';
import { encodeProcess } from '../oci-spec/build-spec.js';
import type { OciProcess } from '../oci-spec/types.js';
import { resolveUser } from '../process/resolve-user.js';
import type { HostedProcess } from './container.js';
import {
  type ContainerExit,
  type ExecRequest,
  type HostEvent,
  type Runtime,
  recordError,
} from './protocol.js';
import { RuntimeCall } from './runtime-call.js';

export interface ExecContext {
  readonly runtime: Runtime;
  /** Of the container. */
  readonly bundle: string;
  /** The container's first process: the rest of what it got applies to this one. */
  readonly process: OciProcess;
  /** The container's root tree on this machine. */
  readonly root: string;
  emit(event: HostEvent): void;
}

/** Between two attempts to kill, in ms, and how many before the runtime itself is given up. */
const KILL_INTERVAL_MS = 20;
const KILL_ATTEMPTS = 200;

export class ContainerExec implements HostedProcess {
  readonly ended: Promise<ContainerExit>;
  readonly #id: string;
  readonly #context: ExecContext;
  readonly #call: RuntimeCall;
  #killed = false;
  #gone = false;

  constructor(request: ExecRequest, context: ExecContext) {
    const { id, stdin } = request;
    const { runtime, bundle, emit } = context;
    this.#id = id;
    this.#context = context;
    const file = `${bundle}/process-${id}.json`;
    fs.writeFileSync(file, encodeProcess(processOf(request, context)));
    this.#call = new RuntimeCall({
      runtime,
      id,
      command: 'exec',
      state: `${bundle}/state`,
      args: ['--process', file, request.container],
      stdin,
      tty: request.process.tty ?? false,
      log: `${bundle}/log-${id}.json`,
      pidFile: `${bundle}/pids-${id}/${id}`,
      emit,
    });
    this.ended = this.#end();
  }

  /** Repeated until it has ended: the process may not be there yet. */
  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#killUntilGone().catch((error: unknown) => {
      this.#context.emit({ type: 'problem', id: this.#id, error: recordError(error) });
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#call.signal(name);
  }

  resize(size: TerminalSize): void {
    this.#call.resize(size);
  }

  write(data: Uint8Array | undefined): void {
    this.#call.write(data);
  }

  taken(bytes: number): void {
    this.#call.taken(bytes);
  }

  async #end(): Promise<ContainerExit> {
    try {
      const exitCode = await this.#call.ended;
      if (!this.#killed) this.#call.checkStarted(exitCode);
      return { exitCode, oomKilled: false };
    } finally {
      this.#gone = true;
    }
  }

  async #killUntilGone(): Promise<void> {
    for (let attempt = 1; !this.#gone; attempt++) {
      if (!this.#call.signal('SIGKILL') && attempt > KILL_ATTEMPTS) this.#call.abandon();
      await new Promise((resolve) => setTimeout(resolve, KILL_INTERVAL_MS));
    }
  }
}

/** BuildKit: executor/runcexecutor/executor.go, Exec. */
export function processOf(
  { process }: Pick<ExecRequest, 'process'>,
  { process: first, root }: Pick<ExecContext, 'process' | 'root'>,
): OciProcess {
  return {
    ...first,
    terminal: process.tty ?? false,
    args: process.args,
    ...(process.env.length > 0 ? { env: process.env } : {}),
    ...(process.cwd !== '' ? { cwd: process.cwd } : {}),
    ...(process.user !== '' ? { user: resolveUser(root, process.user) } : {}),
  };
}
