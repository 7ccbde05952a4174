/** A stand-in for Azure's blob storage, as far as caches use it: it checks every signature by its own reading of the rules. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class AzblobServer implements AsyncDisposable {
  readonly key = Buffer.from('a key of the account').toString('base64');
  readonly account = 'acme';
  readonly containers = new Set<string>();
  /** By path. */
  readonly blobs = new Map<string, Buffer>();
  readonly #blocks = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<AzblobServer> {
    let service: AzblobServer | undefined;
    const server = createServer((request, response) => void service?.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    service = new AzblobServer(server);
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', this.url);
    if (request.headers.authorization !== this.#expected(request, url)) return response.writeHead(403).end();
    const path = decodeURIComponent(url.pathname);
    if (url.searchParams.get('restype') === 'container') return this.#container(request, path, response);
    if (request.method === 'PUT') return this.#put(url, path, body, response);
    const data = this.blobs.get(path);
    if (!data) return response.writeHead(404).end();
    const range = /bytes=(\d+)-(\d*)/.exec(String(request.headers['x-ms-range'] ?? ''));
    const end = range?.[2] ? Number(range[2]) + 1 : undefined;
    response.writeHead(range ? 206 : 200);
    return request.method === 'HEAD'
      ? response.end()
      : response.end(data.subarray(Number(range?.[1] ?? 0), end));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #container({ method }: IncomingMessage, path: string, response: ServerResponse): ServerResponse {
    if (method === 'PUT') this.containers.add(path);
    const status = method === 'PUT' ? 201 : this.containers.has(path) ? 200 : 404;
    return response.writeHead(status).end();
  }

  #put(url: URL, path: string, body: Buffer, response: ServerResponse): ServerResponse {
    if (!this.containers.has(`/${path.split('/')[1]}`)) return response.writeHead(404).end();
    if (url.searchParams.get('comp') === 'block') {
      this.#blocks.set(`${path} ${url.searchParams.get('blockid')}`, body);
    } else {
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => id!);
      this.blobs.set(path, Buffer.concat(ids.map((id) => this.#blocks.get(`${path} ${id}`)!)));
    }
    return response.writeHead(201).end();
  }

  #expected({ method = '', headers }: IncomingMessage, url: URL): string {
    const length = headers['content-length'];
    const ms = Object.entries(headers).filter(([name]) => name.startsWith('x-ms-'));
    const text = [
      `${method}\n\n\n${length && length !== '0' ? length : ''}\n\n${headers['content-type'] ?? ''}\n\n\n\n\n\n\n`,
      ...ms.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${String(value)}\n`),
      `/${this.account}${url.pathname}`,
      ...[...url.searchParams]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `\n${name}:${value}`),
    ].join('');
    const signature = createHmac('sha256', Buffer.from(this.key, 'base64')).update(text).digest('base64');
    return `SharedKey ${this.account}:${signature}`;
  }
}
