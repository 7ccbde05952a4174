import http from 'node:http';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import { expect } from 'chai';
import { HttpClient } from '../../../plugins/sources/http/http-client.js';

const never = new AbortController().signal;

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

describe('http client of the http source', () => {
  let server: http.Server;
  let client: HttpClient;
  let requests: http.IncomingMessage[];
  const handlers = new Map<string, Handler>();

  beforeEach(async () => {
    requests = [];
    handlers.clear();
    client = new HttpClient();
    server = http.createServer((request, response) => {
      requests.push(request);
      const handler = handlers.get(request.url ?? '');
      if (handler) handler(request, response);
      else response.writeHead(404).end('no such thing');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const port = (): number => (server.address() as AddressInfo).port;
  const url = (path: string, host = '127.0.0.1'): string => `http://${host}:${port()}${path}`;
  const get = (path: string, headers: Readonly<Record<string, string>> = {}, signal = never) =>
    client.send({ method: 'GET', url: url(path), headers }, signal);
  async function text(path: string): Promise<string> {
    const parts: Uint8Array[] = [];
    for await (const part of (await get(path)).body()) parts.push(part);
    return Buffer.concat(parts).toString();
  }
  const rejection = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );
  const redirect =
    (location: string | undefined, status = 302): Handler =>
    (_request, response) =>
      response.writeHead(status, location === undefined ? {} : { location }).end('moved');

  it('answers status, headers, size and body', async () => {
    handlers.set('/f', (_request, response) =>
      response.writeHead(200, { etag: '"x"', 'content-length': 4 }).end('body'),
    );
    const answer = await get('/f');
    expect([answer.status, answer.header('etag'), answer.size]).to.deep.equal([200, '"x"', 4]);
    await answer.discard();
    expect(await text('/f')).to.equal('body');
    expect((await get('/none')).status).to.equal(404);
  });

  it('undoes the encoding of the transfer, and leaves gzip files alone', async () => {
    const zipped = zlib.gzipSync('text');
    handlers.set('/encoded', (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped),
    );
    handlers.set('/file.gz', (_request, response) => response.end(zipped));
    expect(await text('/encoded')).to.equal('text');
    expect((await get('/encoded')).size).to.equal(undefined);
    const parts: Uint8Array[] = [];
    for await (const part of (await get('/file.gz')).body()) parts.push(part);
    expect(Buffer.concat(parts).equals(zipped)).to.equal(true);
    expect(requests[0]!.headers['accept-encoding']).to.equal('gzip');
  });

  it('follows redirects, HEAD as HEAD', async () => {
    handlers.set('/a', redirect('/b', 301));
    handlers.set('/b', redirect(url('/c'), 307));
    handlers.set('/c', (_request, response) => response.end('there'));
    expect(await text('/a')).to.equal('there');
    await (await client.send({ method: 'HEAD', url: url('/a'), headers: {} }, never)).discard();
    expect(requests.slice(3).map(({ method, url: path }) => `${method} ${path}`)).to.deep.equal([
      'HEAD /a',
      'HEAD /b',
      'HEAD /c',
    ]);
  });

  it('does not follow them for ever, nor to nowhere', async () => {
    handlers.set('/loop', redirect('/loop'));
    handlers.set('/lost', redirect(undefined));
    handlers.set('/file', redirect('file:///etc/passwd'));
    expect(await rejection(get('/loop')))
      .to.have.property('message')
      .that.includes('stopped after 10 redirects');
    expect(requests).to.have.length(10);
    expect(await rejection(get('/lost'))).to.include({ code: 'http.redirects' });
    expect(await rejection(get('/file'))).to.include({ code: 'http.redirects' });
  });

  it('keeps credentials for the host they are meant for', async () => {
    handlers.set('/same', redirect('/end'));
    handlers.set('/other', redirect(`http://localhost:${port()}/end`));
    handlers.set('/end', (_request, response) => response.end());
    const headers = { authorization: 'Bearer x', accept: 'a/b' };
    await (await get('/same', headers)).discard();
    expect(requests.at(-1)!.headers).to.include(headers);
    await (await get('/other', headers)).discard();
    expect(requests.at(-1)!.headers).to.include({ accept: 'a/b' }).and.not.have.property('authorization');
  });

  it('says what broke, and where', async () => {
    handlers.set('/cut', (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    handlers.set('/corrupt', (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
    );
    for (const path of ['/cut', '/corrupt']) {
      const error = await rejection(text(path));
      expect(error).to.include({ code: 'http.unreachable' });
      expect(error)
        .to.have.property('message')
        .that.includes(`GET ${url(path)}: `);
    }
    const closed = await rejection(
      client.send({ method: 'GET', url: 'http://127.0.0.1:1/f', headers: {} }, never),
    );
    expect(closed).to.have.property('message').that.includes('ECONNREFUSED');
  });

  it('stops when nobody wants the answer any more', async () => {
    const abort = new AbortController();
    handlers.set('/slow', (_request, response) => {
      response.write('first');
    });
    const answer = await get('/slow', {}, abort.signal);
    const reading = rejection(
      (async () => {
        for await (const _ of answer.body()) abort.abort();
      })(),
    );
    expect(await reading).to.include({ code: 'canceled' });
    handlers.set('/silent', () => abort2.abort());
    const abort2 = new AbortController();
    expect(await rejection(get('/silent', {}, abort2.signal))).to.include({ code: 'canceled' });
  });

  it('reads no faster than it is read', async () => {
    let sent = 0;
    handlers.set('/large', (_request, response) => {
      const chunk = Buffer.alloc(1 << 20);
      const more = (): void => {
        while (sent < 64) {
          sent++;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const answer = await get('/large');
    const body = answer.body()[Symbol.asyncIterator]();
    await body.next();
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).to.be.lessThan(64);
    await body.return?.();
  });
});
