/** Repositories over HTTP on the loopback: git's own http-backend behind a server that counts and can ask for a header. */
import { spawn } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { succeed } from './processes.js';

export interface GitServerOptions {
  /** Holds the bare repositories. */
  readonly root: string;
  /** What `Authorization` must be. */
  readonly authorization?: string;
}

export class GitServer implements AsyncDisposable {
  /** Method and URL of each request, with what was sent as authorization. */
  readonly requests: string[] = [];
  /** Called with a request's path before it is served; may wait. */
  gate: (path: string) => Promise<void> = async () => {};
  readonly #server: http.Server;
  readonly #options: GitServerOptions;

  private constructor(options: GitServerOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async start(options: GitServerOptions): Promise<GitServer> {
    const server = new GitServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { authorization = '' } = request.headers;
    const url = new URL(request.url ?? '/', 'http://server');
    this.requests.push(`${request.method} ${request.url} ${authorization}`.trimEnd());
    await this.gate(url.pathname);
    const wanted = this.#options.authorization;
    if (wanted !== undefined && authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const backend = spawn('git', ['http-backend'], { env: cgiEnvironment(request, url, this.#options.root) });
    request.on('error', () => backend.kill()).pipe(backend.stdin);
    // It may answer without reading.
    backend.stdin.on('error', () => {});
    await relay(backend.stdout, response);
  }
}

const cgiEnvironment = (request: http.IncomingMessage, url: URL, root: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_PROJECT_ROOT: root,
  GIT_HTTP_EXPORT_ALL: '1',
  REMOTE_ADDR: '127.0.0.1',
  REQUEST_METHOD: request.method ?? 'GET',
  PATH_INFO: url.pathname,
  QUERY_STRING: url.search.slice(1),
  CONTENT_TYPE: request.headers['content-type'] ?? '',
  HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
  GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
});

/** CGI: header lines, an empty one, the body. */
async function relay(output: NodeJS.ReadableStream, response: http.ServerResponse): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of output as AsyncIterable<Buffer>) {
    if (!head) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
    head = undefined;
  }
  response.end();
}

/** git in a test's folder, with nobody's configuration and always the same clock. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const when = '2024-01-02T03:04:05Z';
  const env = {
    HOME: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.org',
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.org',
    GIT_COMMITTER_DATE: when,
  };
  const options = ['-c', 'init.defaultBranch=main', '-c', 'protocol.file.allow=always', '-C', cwd];
  return (await succeed('git', [...options, ...args], { cwd, env })).stdout.trim();
}

/** Commits all of a work tree and brings it, with all refs, to the bare repository `bare`. */
export async function publish(work: string, bare: string, message: string): Promise<string> {
  await git(work, 'add', '--all');
  await git(work, 'commit', '--allow-empty', '-m', message);
  await git(work, 'push', '--quiet', '--mirror', '--force', bare);
  return git(work, 'rev-parse', 'HEAD');
}

export async function newRepository(work: string, bare: string): Promise<void> {
  await git(join(work, '..'), 'init', '--quiet', work);
  await git(join(work, '..'), 'init', '--quiet', '--bare', bare);
}
