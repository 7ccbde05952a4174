/** The HTTP server of the debug address: no secrets, but no business of strangers either, so loopback is the place. */
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BuildError, invalid, type Logger } from '../../../core/contracts/index.js';
import { parseListenAddress, prepareSocket } from '../../../core/control/addresses.js';
import { didYouMean } from '../../../core/util/nearest.js';
import type { Answer, Route } from './routes.js';

export class DebugServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #logger: Logger;

  constructor(routes: ReadonlyMap<string, Route>, logger: Logger) {
    this.#routes = routes;
    this.#logger = logger;
    this.#server = createServer((request, response) => {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const url = new URL(request.url ?? '/', 'http://debug');
      void this.#answer(url, response, gone.signal);
    });
  }

  /** `host:port`, `tcp://host:port` or `unix:///path`; answers where it really listens. */
  async listen(address: string): Promise<string> {
    const parsed = parseListenAddress(address.includes('://') ? address : `tcp://${address}`);
    if (parsed.kind === 'fd')
      throw invalid('buildkitd.debug-address', `${address}: expected host:port or unix:///path`);
    if (parsed.kind === 'unix') await prepareSocket(parsed.path);
    this.#server.listen(
      parsed.kind === 'unix' ? { path: parsed.path } : { host: parsed.host, port: parsed.port },
    );
    try {
      await once(this.#server, 'listening');
    } catch (cause) {
      throw new BuildError(
        'buildkitd.debug-address',
        `cannot serve debugging on ${address}: ${(cause as Error).message}`,
        { cause },
      );
    }
    if (parsed.kind === 'unix') {
      await chmod(parsed.path, 0o600);
      return address;
    }
    return `${parsed.host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(url: URL, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const route = this.#routes.get(url.pathname);
    try {
      if (!route)
        return refuse(
          response,
          404,
          `no ${url.pathname} here${didYouMean(url.pathname, [...this.#routes.keys()])}`,
        );
      send(response, await route(url.searchParams, signal));
    } catch (error) {
      if (signal.aborted) return;
      const { grpcCode, message } = BuildError.from(error);
      if (grpcCode === 'InvalidArgument') return refuse(response, 400, message);
      this.#logger.warn(`${url.pathname} failed`, { err: error });
      refuse(response, 500, message);
    }
  }
}

function send(response: ServerResponse, { type, body, file }: Answer): void {
  response.setHeader('content-type', type);
  if (file) response.setHeader('content-disposition', `attachment; filename="${file}"`);
  response.end(body);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${message}\n`);
}
