/** `docker load` with an image on its standard input. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { BuildError } from '../../core/contracts/index.js';
import { findProgram } from '../../core/util/find-program.js';

/** How much of what it says is kept for an error, in characters. */
const SAID_KEPT = 4096;

/**
 * Docker's client is started with the first bytes: a build that fails does not bother it. What it says when all is well
 * (`Loaded image: …`) goes to `stdout`.
 */
export class DockerLoad implements AsyncDisposable {
  /** Takes the archive. A failure of docker's is that of the write. */
  readonly input: Writable;
  readonly #program: string;
  readonly #stdout: Writable;
  #running: Running | undefined;

  private constructor(program: string, stdout: Writable) {
    this.#program = program;
    this.#stdout = stdout;
    this.input = new Writable({ write: (bytes: Buffer, _encoding, done) => this.#write(bytes, done) });
  }

  static async open(stdout: Writable): Promise<DockerLoad> {
    const program = await findProgram('docker', process.env.PATH, []);
    if (program !== undefined) return new DockerLoad(program, stdout);
    throw new BuildError(
      'docker-build.no-docker',
      'docker is not there, and the image is to be loaded into it',
      {
        grpcCode: 'FailedPrecondition',
        hint: 'install docker.io, or have a file: buildctl build --frontend dockerfile.v0 … --output type=docker,dest=image.tar',
      },
    );
  }

  /** Waits for docker to have the image. */
  async finish(): Promise<void> {
    if (!this.#running) throw failed('the build has sent no image');
    this.#running.child.stdin?.end();
    const { code, stderr } = await this.#running.ended;
    if (code !== 0) throw failed(stderr || `exit code ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running?.child.kill();
    await this.#running?.ended.catch(() => undefined); // whoever writes or finishes was told
  }

  #write(bytes: Buffer, done: (error?: Error) => void): void {
    this.#running ??= start(this.#program, this.#stdout);
    const { child, ended } = this.#running;
    child.stdin?.write(bytes, (broken) => {
      if (!broken) return done();
      // It reads no more because it has ended, and that says why.
      ended.then(({ code, stderr }) => done(failed(stderr || `exit code ${code}`)), done);
    });
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

function start(program: string, stdout: Writable): Running {
  const child = spawn(program, ['load'], { stdio: 'pipe' });
  let stderr = '';
  child.stdout.pipe(stdout, { end: false });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-SAID_KEPT);
  });
  // Told to the write that it happens to.
  child.stdin.on('error', () => {});
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.once('error', (cause) => reject(failed(cause.message, cause)));
    child.once('close', (code) => resolve({ code, stderr: stderr.trim() }));
  });
  // Told to who waits for it; nobody may.
  ended.catch(() => {});
  return { child, ended };
}

const failed = (why: string, cause?: unknown): BuildError =>
  new BuildError('docker-build.load', `docker load: ${why}`, { grpcCode: 'FailedPrecondition', cause });
