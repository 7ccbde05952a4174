/** A stand-in for the cache service of GitHub's runners, in both versions of its protocol. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Entry {
  readonly key: string;
  readonly blocks: Map<string, Buffer>;
  data: Buffer;
  done: boolean;
}

export class GhaServer implements AsyncDisposable {
  readonly entries: Entry[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<GhaServer> {
    let service: GhaServer | undefined;
    const server = createServer((request, response) => void service?.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    service = new GhaServer(server);
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Keys of what was written to its end. */
  get keys(): readonly string[] {
    return this.entries.filter(({ done }) => done).map(({ key }) => key);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', this.url);
    const blob = /^\/blob\/(\d+)$/.exec(url.pathname);
    if (blob) return this.#blob(this.entries[Number(blob[1])]!, url, request, body, response);
    if (!request.headers.authorization?.startsWith('Bearer ')) return answer(response, 401, {});
    const method = url.pathname.split('/').at(-1);
    if (url.pathname.startsWith('/twirp/'))
      return this.#second(method!, JSON.parse(body.toString()), response);
    return this.#first(request.method!, url, request, body, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #blob(
    entry: Entry,
    url: URL,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): ServerResponse {
    if (request.method === 'PUT' && url.searchParams.get('comp') === 'block') {
      entry.blocks.set(url.searchParams.get('blockid')!, body);
    } else if (request.method === 'PUT') {
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => id!);
      entry.data = Buffer.concat(ids.map((id) => entry.blocks.get(id)!));
    } else {
      const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
      const end = range?.[2] ? Number(range[2]) + 1 : undefined;
      return response.writeHead(range ? 206 : 200).end(entry.data.subarray(Number(range?.[1] ?? 0), end));
    }
    return response.writeHead(201).end();
  }

  #second(method: string, body: Record<string, string>, response: ServerResponse): ServerResponse {
    const { key = '' } = body;
    if (method === 'CreateCacheEntry') {
      const at = this.#reserve(key);
      if (at === undefined) return answer(response, 409, { code: 'already_exists' });
      return answer(response, 200, { ok: true, signed_upload_url: `${this.url}/blob/${at}?sig=1` });
    }
    if (method === 'FinalizeCacheEntryUpload') {
      this.entries.find((entry) => entry.key === key)!.done = true;
      return answer(response, 200, { ok: true, entry_id: '1' });
    }
    const found = this.#find(key);
    if (!found) return answer(response, 200, { ok: false });
    const at = this.entries.indexOf(found);
    return answer(response, 200, {
      ok: true,
      matched_key: found.key,
      signed_download_url: `${this.url}/blob/${at}?sig=1`,
    });
  }

  #first(
    method: string,
    url: URL,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): ServerResponse {
    if (method === 'GET') {
      const found = this.#find(url.searchParams.get('keys') ?? '');
      if (!found) return answer(response, 204);
      const archiveLocation = `${this.url}/blob/${this.entries.indexOf(found)}`;
      return answer(response, 200, { cacheKey: found.key, archiveLocation });
    }
    const id = /caches\/(\d+)$/.exec(url.pathname)?.[1];
    if (id === undefined) {
      const at = this.#reserve((JSON.parse(body.toString()) as { key: string }).key);
      return at === undefined ? answer(response, 409, {}) : answer(response, 201, { cacheId: at + 1 });
    }
    const entry = this.entries[Number(id) - 1]!;
    if (method === 'PATCH') {
      entry.blocks.set(request.headers['content-range']!, body);
      entry.data = Buffer.concat([...entry.blocks.values()]);
    } else entry.done = true;
    return answer(response, 204);
  }

  #reserve(key: string): number | undefined {
    if (this.entries.some((entry) => entry.key === key)) return undefined;
    return this.entries.push({ key, blocks: new Map(), data: Buffer.alloc(0), done: false }) - 1;
  }

  #find = (prefix: string): Entry | undefined =>
    this.entries.findLast(({ key, done }) => done && key.startsWith(prefix));
}

function answer(response: ServerResponse, status: number, body?: object): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));
}
