/**
 * An OCI runtime that writes down when it starts and ends a container, and is otherwise the machine's runc. The
 * daemon's probe at its start is written down as well.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export class LoggedRuntime {
  readonly path: string;
  readonly #log: string;

  private constructor(path: string, log: string) {
    this.path = path;
    this.#log = log;
  }

  /** Signals are meant for runc, so that it is run in the script's place and only its start is known. */
  static async make(dir: string): Promise<LoggedRuntime> {
    await mkdir(dir, { recursive: true });
    const runtime = new LoggedRuntime(join(dir, 'logged-runc'), join(dir, 'runtime.log'));
    const script = `#!/bin/sh
case " $* " in
  *" --help "*) ;;
  *" run "*|*" create "*) echo run >>'${runtime.#log}' ;;
esac
exec runc "$@"
`;
    // Daemons of other users write it, too.
    await writeFile(runtime.#log, '');
    await chmod(runtime.#log, 0o666);
    await writeFile(runtime.path, script, { mode: 0o755 });
    return runtime;
  }

  /** How many containers it has started. */
  async runs(): Promise<number> {
    return (await readFile(this.#log, 'utf8')).split('\n').length - 1;
  }

  /** How many containers it starts during `work`. */
  async runsDuring<T>(work: () => Promise<T>): Promise<readonly [runs: number, result: T]> {
    const before = await this.runs();
    const result = await work();
    return [(await this.runs()) - before, result];
  }
}
