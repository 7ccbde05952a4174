/** A registry in front of another one, which answers blobs of some size with one bit flipped. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class CorruptingProxy implements AsyncDisposable {
  /** host:port on loopback. */
  readonly address: string;
  readonly #server: Server;

  private constructor(address: string, server: Server) {
    this.address = address;
    this.#server = server;
  }

  /** Blobs from `fromBytes` on are spoilt; manifests never are. */
  static async start(registry: string, fromBytes: number): Promise<CorruptingProxy> {
    const server = createServer(async ({ url = '/', method = 'GET', headers }, response) => {
      const { accept = '*/*' } = headers;
      const answer = await fetch(`http://${registry}${url}`, { method, headers: { accept } });
      const body = Buffer.from(await answer.arrayBuffer());
      if (url.includes('/blobs/') && body.length >= fromBytes) body[body.length >> 1]! ^= 1;
      const passed = ['content-type', 'content-length', 'docker-content-digest'];
      const given = passed.flatMap((name) => {
        const value = answer.headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      response.writeHead(answer.status, Object.fromEntries(given));
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CorruptingProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
