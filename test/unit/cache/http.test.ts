/** Stores in trouble. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ByteRange } from '../../../core/contracts/content.js';
import type { Answer } from '../../../plugins/cache/shared/answer.js';
import { rangeHeader, StoreHttp } from '../../../plugins/cache/shared/http.js';

const { signal } = new AbortController();
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('requests to stores', () => {
  let server: Server;
  let url: string;
  let seen: IncomingMessage[];
  /** One after the other; the last one stays. */
  let answers: Handler[];
  const store = new StoreHttp('store', { delays: [0, 0], idle: 100 });
  beforeEach(async () => {
    [seen, answers] = [[], []];
    server = createServer((request, response) => {
      seen.push(request);
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/it`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const status =
    (code: number, headers: Record<string, string> = {}): Handler =>
    (_, response) =>
      void response.writeHead(code, headers).end('well');
  const ask = (stop = signal): Promise<Answer> => store.ask('it', () => new Request(url), stop);
  const failure = (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => expect.fail('it succeeded'),
      (error: Error) => error,
    );

  it('are made again after troubles that pass', async () => {
    answers = [status(503), status(429, { 'retry-after': '0' }), status(200)];
    expect(await (await ask()).text()).to.equal('well');
    expect(seen).to.have.length(3);
  });

  it('say what was answered, and how often it was tried', async () => {
    answers = [status(502)];
    const answer = await ask();
    expect((await answer.refusal()).message).to.equal('store: it: 502 Bad Gateway: well (after 3 tries)');
    answers = [status(403)];
    expect((await (await ask()).refusal()).message).to.equal('store: it: 403 Forbidden: well');
  });

  it('are made again when the connection breaks, and not when there is none', async () => {
    answers = [(_, response) => void response.destroy()];
    const broken = await failure(ask());
    expect(broken.message).to.match(/^store: it: fetch failed: .* \(after 3 tries\)$/);
    const unreachable = await failure(store.ask('it', () => new Request('http://127.0.0.1:2/'), signal));
    expect(unreachable.message).to.match(/^store: it: fetch failed: .*ECONNREFUSED [\d.:]+$/);
  });

  it('do not wait for ever', async () => {
    answers = [() => undefined];
    const silent = await failure(ask());
    expect(silent.message).to.match(/no byte came from 127\.0\.0\.1:\d+ for 100 ms \(after 3 tries\)$/);
  });

  it('stop when nobody waits any more', async () => {
    const abort = new AbortController();
    answers = [() => abort.abort()];
    expect(await failure(ask(abort.signal))).to.include({ code: 'canceled' });
  });

  describe('that read', () => {
    const data = Buffer.from('0123456789');
    const serve: Handler = ({ headers }, response) => {
      const [, from, to] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
      response.writeHead(headers.range ? 206 : 200);
      response.end(data.subarray(Number(from ?? 0), to ? Number(to) + 1 : undefined));
    };
    /** Breaks the connection, when what it brought has been read: what has not is lost with it. */
    let cutOff: (() => void) | undefined;
    const part =
      (status: number, from: number, to: number, length: number): Handler =>
      (_, response) => {
        response.writeHead(status, { 'content-length': length });
        response.write(data.subarray(from, to));
        cutOff = () => response.destroy();
      };
    const cut = part(200, 0, 4, data.length);
    const read = async (range: ByteRange = {}): Promise<string> => {
      const open = (part: ByteRange): Promise<Answer> => {
        const header = rangeHeader(part);
        return store.ask('it', () => new Request(url, { headers: header ? { range: header } : {} }), signal);
      };
      let text = '';
      for await (const chunk of store.read('it', range, open, signal)) {
        text += Buffer.from(chunk).toString();
        cutOff?.();
        cutOff = undefined;
      }
      return text;
    };

    it('go on where they broke', async () => {
      answers = [cut, serve];
      expect(await read()).to.equal('0123456789');
      expect(seen.map(({ headers }) => headers.range)).to.deep.equal([undefined, 'bytes=4-']);
    });

    it('go on where no more bytes came', async () => {
      answers = [(_, response) => void response.writeHead(200).write(data.subarray(0, 4)), serve];
      expect(await read()).to.equal('0123456789');
    });

    it('ask for what is left of a part', async () => {
      answers = [part(206, 2, 5, 5), serve];
      expect(await read({ offset: 2, length: 5 })).to.equal('23456');
      expect(seen.map(({ headers }) => headers.range)).to.deep.equal(['bytes=2-6', 'bytes=5-6']);
    });

    it('leave out what they have where the store sends all', async () => {
      answers = [cut, (_, response) => void response.writeHead(200).end(data)];
      expect(await read()).to.equal('0123456789');
    });

    it('give up when nothing more comes', async () => {
      answers = [
        cut,
        (_, response) => {
          response.writeHead(206, { 'content-length': 6 });
          response.flushHeaders();
          setImmediate(() => response.destroy());
        },
      ];
      expect((await failure(read())).message).to.match(/^store: it: terminated: .* \(after 3 tries\)$/);
    });

    it('ask for nothing where nothing is wanted', async () => {
      answers = [serve];
      expect([await read({ length: 0 }), seen.length]).to.deep.equal(['', 0]);
    });
  });
});
