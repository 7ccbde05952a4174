import { expect } from 'chai';
import type { FinishedSpan } from '../../../core/contracts/index.js';
import { BatchSender } from '../../../tracing/sender.js';
import { encodeEmitBatch } from '../../../tracing/thrift-batch.js';
import { thriftSpan } from '../../../tracing/thrift-span.js';
import type { Transport } from '../../../tracing/transport.js';

const span = (name: string): FinishedSpan => ({
  service: 'buildkitd',
  name,
  context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), sampled: true },
  parentSpanId: undefined,
  kind: 'internal',
  startedAt: 1_700_000_000_000.5,
  endedAt: 1_700_000_000_001.75,
  tags: {},
  logs: [],
  links: [],
});

/** Takes messages of so many bytes, and remembers how many spans each had. */
function fakeTransport(limit: number, spanBytes: number): Transport & { readonly sent: number[] } {
  const sent: number[] = [];
  return {
    limit,
    sent,
    encode: (_process, spans) => Buffer.alloc(spans.length * spanBytes),
    send: async (message) => void sent.push(message.length / spanBytes),
    close() {},
  };
}

const flushed = (sender: BatchSender): Promise<void> =>
  new Promise((resolve) => sender.flush(() => resolve()));

describe('BatchSender', () => {
  it('fills messages with spans, by the size of those before', async () => {
    const transport = fakeTransport(65_000, 200);
    const sender = new BatchSender(transport);
    sender.forward(Array.from({ length: 1000 }, (_, i) => span(`${i}`)));
    await flushed(sender);
    expect(transport.sent).to.deep.equal([104, 260, 260, 260, 116]);
    expect(sender.dropped).to.equal(0);
  });

  it('halves what turns out not to fit, and drops only what never does', async () => {
    const transport = fakeTransport(65_000, 1000);
    const sender = new BatchSender(transport);
    sender.forward(Array.from({ length: 104 }, (_, i) => span(`${i}`)));
    await flushed(sender);
    expect(transport.sent).to.deep.equal([52, 52]);
    const small = fakeTransport(100, 1000);
    const hopeless = new BatchSender(small);
    hopeless.forward([span('large')]);
    await flushed(hopeless);
    expect([small.sent, hopeless.dropped]).to.deep.equal([[], 1]);
  });
});

describe('encodeEmitBatch', () => {
  it('leaves a message alone when the next one is made', () => {
    const process = { serviceName: 'buildkitd', tags: [] };
    const encode = (name: string): Buffer => encodeEmitBatch('compact', process, [thriftSpan(span(name))]);
    const first = encode('first');
    const copy = Buffer.from(first);
    expect(encode('other').length).to.equal(first.length);
    expect(first.equals(copy)).to.equal(true);
  });
});

describe('thriftSpan', () => {
  it('says times in microseconds, in two halves', () => {
    const { startTime, duration } = thriftSpan(span('timed'));
    expect(startTime.readBigInt64BE()).to.equal(1_700_000_000_000_500n);
    expect(duration.readBigInt64BE()).to.equal(1250n);
  });
});
