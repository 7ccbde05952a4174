/**
 * Lends a command's standard input and output to a gRPC library that dials sockets: a unix socket in a private folder,
 * where each connection runs the command once. BuildKit: docker/cli's commandconn.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '../../core/contracts/index.js';
import { DisposeStack } from '../../core/util/dispose.js';
import type { HelperCommand } from './helper-command.js';

/** How much of what a command complains about is quoted, in characters. */
const LAST_WORDS = 2000;

export class CommandBridge implements AsyncDisposable {
  /** What grpc-js dials. */
  readonly target: string;
  /** Rejects when a run of the command ends with an error; never resolves. */
  readonly failed: Promise<never>;
  readonly #helper: HelperCommand;
  readonly #server: Server;
  readonly #running = new Set<ChildProcess>();
  readonly #owned: DisposeStack;
  #fail!: (error: BuildError) => void;

  private constructor(helper: HelperCommand, server: Server, path: string, owned: DisposeStack) {
    this.#helper = helper;
    this.#server = server;
    this.#owned = owned;
    this.target = `unix://${path}`;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Who connects races with it; before and after that, nobody waits.
    this.failed.catch(() => undefined);
    server.on('connection', (socket) => this.#connect(socket));
  }

  static async open(helper: HelperCommand): Promise<CommandBridge> {
    await using opening = new DisposeStack();
    const dir = await mkdtemp(join(tmpdir(), 'buildctl-'));
    await opening.defer(() => rm(dir, { recursive: true, force: true }));
    const path = join(dir, 'dial.sock');
    const server = createServer({ allowHalfOpen: true }).listen(path);
    await once(server, 'listening');
    return new CommandBridge(helper, server, path, opening.move());
  }

  #connect(socket: Socket): void {
    const { command, args } = this.#helper;
    const child = spawn(command, args, { stdio: 'pipe' });
    this.#running.add(child);
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-LAST_WORDS);
    });
    child.once('error', (error) => this.#fail(this.#failure(error.message)));
    child.once('close', (code, signal) => {
      this.#running.delete(child);
      socket.destroy();
      if (code !== 0) this.#fail(this.#failure(words.trim() || `it ended with ${signal ?? code}`));
    });
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
    socket.on('error', () => child.stdin.destroy());
    // The command may end first; what became of it is told by its exit.
    child.stdin.on('error', () => socket.destroy());
  }

  #failure(why: string): BuildError {
    const line = [this.#helper.command, ...this.#helper.args].join(' ');
    return new BuildError('client.unavailable', `no daemon is reached by \`${line}\`: ${why}`, {
      grpcCode: 'Unavailable',
      hint: 'is buildkitd running there, and buildctl beside it?',
    });
  }

  /** Ends the commands by closing their input, as Go's clients do; whatever does not end is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await Promise.all([...this.#running].map(ended));
    await this.#owned[Symbol.asyncDispose]();
  }
}

/** How long a command may take to end when nothing more comes, in milliseconds. */
const END_MS = 3000;

async function ended(child: ChildProcess): Promise<void> {
  const closed = child.exitCode === null && child.signalCode === null ? once(child, 'close') : undefined;
  const patience = setTimeout(() => child.kill('SIGKILL'), END_MS);
  child.stdin?.end();
  await closed?.catch(() => undefined);
  clearTimeout(patience);
}
