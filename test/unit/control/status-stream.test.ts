import { expect } from 'chai';
import type { ProgressEvent } from '../../../core/contracts/index.js';
import { statusMessages } from '../../../core/control/status-stream.js';

const vertex = (name: string): ProgressEvent => ({
  type: 'vertex',
  digest: `sha256:${name}`,
  name,
  inputs: [],
  cached: false,
  error: '',
  started: 1500.25,
});
const log = (size: number): ProgressEvent => ({
  type: 'log',
  vertex: 'sha256:a',
  timestamp: 1,
  stream: 'stderr',
  data: new Uint8Array(size),
});

async function* from(...events: ProgressEvent[]): AsyncIterable<ProgressEvent> {
  yield* events;
}

const collect = async (events: AsyncIterable<ProgressEvent>) => {
  const messages = [];
  for await (const message of statusMessages(events)) messages.push(message);
  return messages;
};

describe('status messages', () => {
  it('sends what came together in one message', async () => {
    const messages = await collect(from(vertex('a'), vertex('b'), log(3)));
    expect(messages).to.have.length(1);
    expect(messages[0]?.vertexes.map(({ name }) => name)).to.deep.equal(['a', 'b']);
    expect(messages[0]?.vertexes[0]?.started).to.deep.equal({ seconds: 1, nanos: 500_250_000 });
    expect(messages[0]?.logs[0]?.stream).to.equal(2);
  });

  it('cuts a message once its logs pass one MiB', async () => {
    const messages = await collect(from(log(700_000), log(700_000), log(700_000)));
    expect(messages.map(({ logs }) => logs.length)).to.deep.equal([2, 1]);
  });

  it('does not hold back what is there while nothing follows', async () => {
    let release: () => void = () => {};
    async function* slow(): AsyncIterable<ProgressEvent> {
      yield vertex('a');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    const iterator = statusMessages(slow())[Symbol.asyncIterator]();
    expect((await iterator.next()).value?.vertexes).to.have.length(1);
    release();
    expect((await iterator.next()).done).to.equal(true);
  });

  it('leaves no unhandled rejection when progress breaks off while a slow reader has a full message', async () => {
    let breakOff: (error: Error) => void = () => {};
    async function* breaking(): AsyncIterable<ProgressEvent> {
      yield log(1 << 20);
      await new Promise((_, reject) => {
        breakOff = reject;
      });
    }
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.prependListener('unhandledRejection', note);
    try {
      const iterator = statusMessages(breaking())[Symbol.asyncIterator]();
      expect((await iterator.next()).value?.logs).to.have.length(1);
      breakOff(new Error('the client is gone'));
      await new Promise(setImmediate);
      await iterator.return?.();
      await new Promise(setImmediate);
      expect(unhandled).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
