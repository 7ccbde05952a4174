/** The one client that talks to every daemon: `buildctl`, BuildKit's own or the one here. */
import { spawn } from 'node:child_process';

/** Longer than any workload takes, in ms: a daemon that hangs fails its workload and not the whole run. */
const PATIENCE = 300_000;

/** How much of the client's output is kept for its last line, in characters. */
const OUTPUT_KEPT = 16 * 1024;

export class Client {
  readonly #program: string;
  readonly #signal: AbortSignal;

  constructor(program: string, signal: AbortSignal) {
    this.#program = program;
    this.#signal = signal;
  }

  /** Seconds from the start of the client to its end. A failure is told in the client's last line. */
  async run(address: string, args: readonly string[], input?: Uint8Array): Promise<number> {
    const [command, ...before] = this.#program.endsWith('.js')
      ? [process.execPath, this.#program]
      : [this.#program];
    const begun = performance.now();
    const child = spawn(command!, [...before, '--addr', address, ...args], {
      stdio: 'pipe',
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(PATIENCE)]),
      killSignal: 'SIGKILL',
    });
    let said = '';
    const hear = (data: Buffer): void => {
      said = (said + data.toString()).slice(-OUTPUT_KEPT);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    // A client that fails may do so before it has read everything.
    child.stdin.on('error', () => undefined).end(input);
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 128));
    });
    const seconds = (performance.now() - begun) / 1000;
    if (code !== 0) throw new Error(said.trim().split('\n').at(-1) || `${this.#program} exited with ${code}`);
    return seconds;
  }
}
