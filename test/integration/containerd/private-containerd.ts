/** A containerd of a test's own: its socket, state and namespaces are seen by nobody else. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Containerd } from '../../../plugins/workers/containerd/containerd-client.js';
import { unmountBelow } from '../../../plugins/workers/containerd/leftover-mounts.js';

/** Why these tests cannot run here, if so. `bin`: where containerd's programs are, if not on the PATH. */
export function whyNot(bin?: string): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (bin !== undefined && !fs.existsSync(path.join(bin, 'containerd'))) return `needs ${bin}/containerd`;
  const dirs = pathWith(bin).split(':').concat('/usr/sbin', '/usr/bin');
  const missing = ['containerd', 'ctr', 'containerd-shim-runc-v2', 'runc', 'busybox'].find(
    (program) => !dirs.some((dir) => fs.existsSync(path.join(dir, program))),
  );
  return missing && `needs ${missing}`;
}

/** containerd finds its shim on the PATH. */
const pathWith = (bin: string | undefined): string =>
  [...(bin === undefined ? [] : [bin]), process.env.PATH ?? ''].join(':');

export class PrivateContainerd implements AsyncDisposable {
  readonly dir: string;
  readonly #bin: string | undefined;
  #process: Awaited<ReturnType<typeof startServer>>;

  /** `bin`: a folder with the programs of the containerd to take. */
  static async start(bin?: string): Promise<PrivateContainerd> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'containerd-test-'));
    fs.writeFileSync(path.join(dir, 'config.toml'), configuration(dir));
    return new PrivateContainerd(dir, bin, await startServer(dir, bin));
  }

  private constructor(
    dir: string,
    bin: string | undefined,
    process: Awaited<ReturnType<typeof startServer>>,
  ) {
    this.dir = dir;
    this.#bin = bin;
    this.#process = process;
  }

  get socket(): string {
    return path.join(this.dir, 'containerd.sock');
  }

  connect(namespace: string): Containerd {
    const containerd = new Containerd({ socket: this.socket, namespace });
    containerd.holdWith(`lease-${namespace}`);
    return containerd;
  }

  /** What `ctr` prints. */
  ctr(namespace: string, ...args: readonly string[]): string {
    return this.ctrWith('ignore', namespace, ...args);
  }

  /** The same with an open file as its input. */
  ctrWith(input: number | 'ignore', namespace: string, ...args: readonly string[]): string {
    const all = ['--address', this.socket, '--namespace', namespace, ...args];
    return execFileSync('ctr', all, { encoding: 'utf8', stdio: [input, 'pipe', 'pipe'] });
  }

  /** Containers go on meanwhile. */
  async restart(): Promise<void> {
    await this.#process.stop('SIGKILL');
    this.#process = await startServer(this.dir, this.#bin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop('SIGTERM');
    unmountBelow(this.dir);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

const configuration = (dir: string): string => `
version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${dir}/containerd.sock"
[ttrpc]
address = "${dir}/containerd.sock.ttrpc"
`;

async function startServer(
  dir: string,
  bin: string | undefined,
): Promise<{ stop(signal: NodeJS.Signals): Promise<void> }> {
  const log = fs.openSync(path.join(dir, 'log'), 'a');
  const program = bin === undefined ? 'containerd' : path.join(bin, 'containerd');
  const child = spawn(program, ['--config', path.join(dir, 'config.toml')], {
    stdio: ['ignore', log, log],
    env: { ...process.env, PATH: pathWith(bin) },
  });
  fs.closeSync(log);
  const ended = once(child, 'exit');
  const failed = ended.then(() => {
    throw new Error(`containerd ended: ${fs.readFileSync(path.join(dir, 'log'), 'utf8')}`);
  });
  failed.catch(() => {});
  await Promise.race([failed, answering(path.join(dir, 'containerd.sock'))]);
  return {
    async stop(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

/** A socket that a killed server left refuses connections until the next one listens. */
async function answering(socket: string): Promise<void> {
  while (!(await connects(socket))) await new Promise((resolve) => setTimeout(resolve, 20));
}

const connects = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
