/** A registry in this process, with troubles on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Digest, sha256 } from '../../core/util/digest.js';
import { mediaTypes } from '../../core/util/media-types.js';

export interface FakeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
/** Answers a request itself (true), or lets the registry do so. */
export type Trouble = (request: IncomingMessage, response: ServerResponse) => boolean;

export class FakeRegistry implements AsyncDisposable {
  readonly host: string;
  readonly log: FakeRequest[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  /** By `<path>:<tag or digest>`. */
  readonly manifests = new Map<string, { readonly type: string; readonly data: Uint8Array }>();
  /** Asked first, each until it is taken off. */
  readonly troubles: Trouble[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<FakeRegistry> {
    let registry: FakeRegistry | undefined;
    const server = createServer((request, response) => registry?.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    registry = new FakeRegistry(server);
    return registry;
  }

  /** `METHOD path` of every request so far. */
  get requests(): readonly string[] {
    return this.log.map(({ method, url }) => `${method} ${url}`);
  }

  addBlob(data: Uint8Array): { readonly digest: Digest; readonly size: number } {
    const digest = sha256(data);
    this.blobs.set(digest, data);
    return { digest, size: data.length };
  }

  addManifest(path: string, tag: string, value: object, type: string = mediaTypes.ociManifest): Digest {
    const data = Buffer.from(JSON.stringify(value));
    const digest = sha256(data);
    for (const name of [tag, digest]) this.manifests.set(`${path}:${name}`, { type, data });
    return digest;
  }

  /** An image of one platform; answers its manifest's digest. */
  addImage(
    path: string,
    tag: string,
    layers: readonly Uint8Array[],
    platform = { os: 'linux', architecture: 'amd64' },
  ): Digest {
    const diffIds = layers.map(sha256);
    const config = Buffer.from(
      JSON.stringify({
        ...platform,
        rootfs: { type: 'layers', diff_ids: diffIds },
        config: { Env: ['A=b'] },
      }),
    );
    return this.addManifest(path, tag, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, ...this.addBlob(config) },
      layers: layers.map((layer) => ({ mediaType: mediaTypes.ociLayer, ...this.addBlob(layer) })),
    });
  }

  /** `trouble` strikes the next `times` requests whose URL contains `part`. */
  trouble(
    part: string,
    times: number,
    strike: (response: ServerResponse, request: IncomingMessage) => void,
  ): void {
    let left = times;
    this.troubles.push((request, response) => {
      if (left === 0 || !request.url?.includes(part)) return false;
      left--;
      strike(response, request);
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    this.log.push({ method, url, headers });
    if (this.troubles.some((trouble) => trouble(request, response))) return;
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(url);
    if (!match) return void response.writeHead(404).end();
    const [, path, kind, name] = match as unknown as [string, string, string, string];
    if (kind === 'blobs' && name === 'uploads/') return void this.#startUpload(path, url, response);
    if (kind === 'blobs' && method === 'PUT') return void this.#finishUpload(request, response);
    if (kind === 'manifests' && method === 'PUT')
      return void this.#putManifest(path, name, request, response);
    if (kind === 'blobs') return void this.#sendBlob(name, request, response);
    const manifest = this.manifests.get(`${path}:${name}`);
    if (!manifest) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': manifest.type,
      'content-length': manifest.data.length,
      'docker-content-digest': sha256(manifest.data),
    });
    response.end(method === 'HEAD' ? undefined : manifest.data);
  }

  #sendBlob(name: string, request: IncomingMessage, response: ServerResponse): void {
    const data = this.blobs.get(name);
    if (!data) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const part = range ? data.subarray(Number(range[1]), Number(range[2]) + 1) : data;
    response.writeHead(range ? 206 : 200, { 'content-length': part.length });
    response.end(request.method === 'HEAD' ? undefined : part);
  }

  #startUpload(path: string, url: string, response: ServerResponse): void {
    const mount = new URL(url, 'http://x').searchParams.get('mount');
    if (mount && this.blobs.has(mount)) return void response.writeHead(201).end();
    response.writeHead(202, { location: `/v2/${path}/blobs/uploaded?state=1` }).end();
  }

  #finishUpload(request: IncomingMessage, response: ServerResponse): void {
    void collect(request).then((data) => {
      const digest = new URL(request.url ?? '', 'http://x').searchParams.get('digest');
      if (digest !== sha256(data)) return void response.writeHead(400).end();
      this.blobs.set(digest, data);
      response.writeHead(201).end();
    });
  }

  #putManifest(path: string, name: string, request: IncomingMessage, response: ServerResponse): void {
    void collect(request).then((data) => {
      const type = request.headers['content-type'] ?? '';
      for (const key of [name, sha256(data)]) this.manifests.set(`${path}:${key}`, { type, data });
      response.writeHead(201).end();
    });
  }
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
