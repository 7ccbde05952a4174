/** Debian's docker-registry as a process of its own, on a free port over a temporary folder. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const hasDockerRegistry = (): boolean => spawnSync('docker-registry', ['--version']).status === 0;

/** PEM files. */
export interface RegistryTls {
  readonly certificate: string;
  readonly key: string;
}

export class DockerRegistry implements AsyncDisposable {
  readonly host: string;
  readonly #process: ChildProcess;
  readonly #dir: string;

  private constructor(host: string, process: ChildProcess, dir: string) {
    this.host = host;
    this.#process = process;
    this.#dir = dir;
  }

  /** With `htpasswd` (lines of that file, bcrypt), strangers are turned away. */
  static async start(htpasswd?: string, tls?: RegistryTls): Promise<DockerRegistry> {
    const dir = await mkdtemp(join(tmpdir(), 'buildkit-registry-'));
    const host = `127.0.0.1:${await freePort()}`;
    const file = join(dir, 'config.yml');
    const auth = htpasswd === undefined ? '' : `auth: {htpasswd: {realm: here, path: ${dir}/htpasswd}}\n`;
    if (htpasswd !== undefined) await writeFile(join(dir, 'htpasswd'), htpasswd);
    const https = tls ? `, tls: {certificate: ${tls.certificate}, key: ${tls.key}}` : '';
    await writeFile(
      file,
      `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n` +
        `storage: {filesystem: {rootdirectory: ${dir}/data}}\nhttp: {addr: "${host}"${https}}\n${auth}`,
    );
    const process = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
    const registry = new DockerRegistry(host, process, dir);
    await registry.#ready(tls !== undefined);
    return registry;
  }

  /** The folder of its storage. */
  get data(): string {
    return join(this.#dir, 'data');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await gone;
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** With TLS, an answer that cannot be trusted is an answer. */
  async #ready(tls: boolean): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const answered = await fetch(`${tls ? 'https' : 'http'}://${this.host}/v2/`).then(
        () => true,
        (error: Error) => tls && !/ECONNREFUSED/.test(String((error.cause as { code?: string })?.code)),
      );
      if (answered) return;
      await delay(25);
    }
    await this[Symbol.asyncDispose]();
    throw new Error(`docker-registry did not answer on ${this.host}`);
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
