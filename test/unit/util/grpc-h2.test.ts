import { expect } from 'chai';
import fc from 'fast-check';
import { byteStreamOf } from '../../../core/util/byte-stream.js';
import { GrpcClient } from '../../../core/util/grpc-h2/client.js';
import { FrameReader, frame } from '../../../core/util/grpc-h2/frames.js';
import { decodeHeaderList, encodeHeaderLists } from '../../../core/util/grpc-h2/header-lists.js';
import { GrpcServer, type Handlers, unaryHandler } from '../../../core/util/grpc-h2/server.js';
import { decodeGrpcMessage, encodeGrpcMessage, GrpcStatusError } from '../../../core/util/grpc-h2/status.js';
import { chunkPair } from '../../support/tunnel.js';

const never = new AbortController().signal;
const echo = {
  path: '/t.T/Echo',
  requestSerialize: (text: string) => Buffer.from(text),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};

function connect(handlers: Handlers) {
  const [a, b] = chunkPair();
  const statusOf = (error: unknown) => ({ code: 2, message: String(error), details: Buffer.from([1, 2, 3]) });
  const server = new GrpcServer(byteStreamOf(a), { handlers, statusOf });
  const client = new GrpcClient(byteStreamOf(b));
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('gRPC over one byte stream', () => {
  it('answers a unary call, whatever the case of its path', async () => {
    await using pair = connect({ [echo.path]: unaryHandler(echo, async (text) => text.toUpperCase()) });
    const ask = (path: string): Promise<string> =>
      pair.client.unary({ ...echo, path }, 'hello', { signal: never });
    expect(await Promise.all([ask('/t.T/Echo'), ask('/t.t/echo')])).to.deep.equal(['HELLO', 'HELLO']);
  });

  it('carries an error with its details', async () => {
    await using pair = connect({
      [echo.path]: unaryHandler(echo, async () => Promise.reject(new Error('100 % déjà\nvu'))),
    });
    const error = await pair.client.unary(echo, '', { signal: never }).catch((e: GrpcStatusError) => e);
    expect(error).to.be.instanceOf(GrpcStatusError);
    expect(error).to.deep.include({
      code: 2,
      message: 'Error: 100 % déjà\nvu',
      details: Buffer.from([1, 2, 3]),
    });
  });

  it('says so when a method is unknown', async () => {
    await using pair = connect({});
    const error = await pair.client.unary(echo, '', { signal: never }).catch((e: GrpcStatusError) => e);
    expect(error).to.include({ code: 12, message: 'unknown method /t.T/Echo' });
  });

  it('streams both ways at once, more than any buffer holds', async () => {
    await using pair = connect({
      [echo.path]: async (call) => {
        for await (const message of call.messages.messages()) await call.messages.send(message);
      },
    });
    const call = pair.client.call(echo.path, { signal: never });
    const chunk = Buffer.alloc(100_000, 'x');
    const sent = (async () => {
      for (let i = 0; i < 400; i++) await call.messages.send(chunk);
      call.end();
    })();
    let received = 0;
    for await (const message of call.messages.messages()) received += message.length;
    await Promise.all([sent, call.status]);
    expect(received).to.equal(40_000_000);
  });

  it('tells the handler when its caller gives up', async () => {
    let aborted: (() => void) | undefined;
    const seen = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    await using pair = connect({
      [echo.path]: (call) =>
        new Promise<void>((resolve) => {
          call.signal.addEventListener('abort', () => {
            aborted!();
            resolve();
          });
        }),
    });
    const stop = new AbortController();
    const call = pair.client.call(echo.path, { signal: stop.signal });
    const status = call.status.catch((error: unknown) => error);
    stop.abort(new Error('enough'));
    expect(String(await status)).to.contain('enough');
    await seen;
  });

  it('fails running calls when the connection goes', async () => {
    const pair = connect({
      [echo.path]: (call) => new Promise((resolve) => call.signal.addEventListener('abort', () => resolve())),
    });
    const status = pair.client.call(echo.path, { signal: never }).status.catch((e: GrpcStatusError) => e);
    await pair[Symbol.asyncDispose]();
    expect(await status).to.include({ code: 14 });
    expect(() => pair.client.call(echo.path, { signal: never })).to.throw('the connection is closed');
  });

  it('keeps repeated headers apart', async () => {
    const seen: (readonly string[])[] = [];
    await using pair = connect({
      [echo.path]: unaryHandler(echo, async (text, call) => {
        seen.push(call.header('followpaths'));
        return text;
      }),
    });
    await pair.client.unary(echo, '', { signal: never, headers: { followpaths: ['a,b', 'c'] } });
    expect(seen).to.deep.equal([['a,b', 'c']]);
  });
});

describe('gRPC framing', () => {
  it('finds the messages however the bytes are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 20 })), (list, cuts) => {
        const bytes = Buffer.concat(list.map((message) => frame(message)));
        const reader = new FrameReader(1000);
        const found: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i] ?? bytes.length;
          found.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found.map((message) => message.toString('hex'))).to.deep.equal(
          list.map((message) => Buffer.from(message).toString('hex')),
        );
        expect(reader.idle).to.equal(true);
      }),
    );
  });

  it('refuses a message beyond the limit before it has arrived', () => {
    expect(() => new FrameReader(10).push(frame(Buffer.alloc(11)).subarray(0, 5))).to.throw(
      'larger than max',
    );
  });

  it('carries any text in a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = encodeGrpcMessage(text);
        expect(encoded).to.match(/^[ -~]*$/);
        expect(decodeGrpcMessage(encoded)).to.equal(text);
      }),
    );
  });

  it('carries any list of patterns, escaped only when it must be', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary-ascii' })),
        fc.string({ unit: 'grapheme' }),
        (list, other) => {
          const values = [...list, other];
          const headers = encodeHeaderLists({ key: values });
          expect(decodeHeaderList((name) => headers[name] ?? [], 'key')).to.deep.equal(values);
        },
      ),
    );
  });
});
