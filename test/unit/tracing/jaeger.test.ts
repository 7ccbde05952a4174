import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { canceled, silentTracing } from '../../../core/contracts/index.js';
import { parseEndpoint } from '../../../tracing/endpoint.js';
import { openTracing } from '../../../tracing/index.js';
import { JaegerTracing } from '../../../tracing/jaeger-tracing.js';
import { extract, inject } from '../../../tracing/propagation.js';
import { BatchSender } from '../../../tracing/sender.js';
import { openTransport } from '../../../tracing/transport.js';
import { JaegerAgent } from '../../support/jaeger-agent.js';

describe('jaeger tracing', () => {
  for (const encoding of ['compact', 'binary'] as const) {
    it(`sends spans as thrift ${encoding} that an agent decodes, parents and tags included`, async () => {
      await using agent = await JaegerAgent.listen(encoding);
      const endpoint = { kind: 'udp', host: '127.0.0.1', port: agent.port, encoding } as const;
      const tracing = new JaegerTracing('buildctl', new BatchSender(await openTransport(endpoint)));
      await tracing.trace('build', {}, async (root) => {
        root.setTag('steps', 2);
        await tracing.trace('step', { parent: root.context, tags: { cached: true } }, async () => {});
      });
      await tracing[Symbol.asyncDispose]();
      const spans = await agent.until((all) => all.length === 2);
      const root = spans.find(({ name }) => name === 'build')!;
      const step = spans.find(({ name }) => name === 'step')!;
      expect(root).to.deep.include({ service: 'buildctl', parentSpanId: '0'.repeat(16) });
      expect(root.tags).to.include({ steps: 2 });
      expect(step).to.include({ traceId: root.traceId, parentSpanId: root.spanId });
      expect(step.tags).to.include({ cached: true });
      expect(step.startTime >= root.startTime).to.equal(true);
    });
  }

  it('passes spans of clients on under the name of their program', async () => {
    await using agent = await JaegerAgent.listen();
    const endpoint = { kind: 'udp', host: '127.0.0.1', port: agent.port, encoding: 'compact' } as const;
    const tracing = new JaegerTracing('buildkitd', new BatchSender(await openTransport(endpoint)));
    const context = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), sampled: true };
    const span = { name: 'build', context, parentSpanId: 'ef'.repeat(8), kind: 'client' } as const;
    const told = { startedAt: 1000, endedAt: 3500, tags: { n: 2 }, logs: [], links: [], error: 'no' };
    tracing.forward([{ service: 'buildx', ...span, ...told }]);
    await tracing[Symbol.asyncDispose]();
    const [received] = await agent.until((all) => all.length === 1);
    expect(received).to.deep.include({ service: 'buildx', name: 'build', parentSpanId: span.parentSpanId });
    expect(received).to.include({ traceId: context.traceId, spanId: context.spanId });
    expect(received?.tags).to.include({ n: 2, error: true, 'span.kind': 'client' });
  });

  it('loses none of 5,000 spans finished at once', async () => {
    await using agent = await JaegerAgent.listen();
    const endpoint = { kind: 'udp', host: '127.0.0.1', port: agent.port, encoding: 'compact' } as const;
    const tracing = new JaegerTracing('buildkitd', new BatchSender(await openTransport(endpoint)));
    for (let i = 0; i < 5000; i++) tracing.start(`step ${i}`).finish();
    await tracing[Symbol.asyncDispose]();
    expect((await agent.until((all) => all.length >= 5000)).length).to.equal(5000);
  });

  it('keeps a span whose logs do not fit a datagram by dropping its oldest logs', async () => {
    await using agent = await JaegerAgent.listen();
    const endpoint = { kind: 'udp', host: '127.0.0.1', port: agent.port, encoding: 'compact' } as const;
    const tracing = new JaegerTracing('buildkitd', new BatchSender(await openTransport(endpoint)));
    const span = tracing.start('chatty');
    for (let i = 0; i < 200; i++) span.log({ message: 'x'.repeat(1000) });
    span.finish();
    await tracing[Symbol.asyncDispose]();
    expect((await agent.until((all) => all.length === 1))[0]?.name).to.equal('chatty');
  });

  it('posts batches to a collector', async () => {
    let posted = 0;
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => {
        posted += chunk.length;
      });
      request.on('end', () => response.writeHead(202).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tracing = await openTracing('buildctl', { JAEGER_TRACE: url });
    tracing.start('build').finish();
    await tracing[Symbol.asyncDispose]();
    server.close();
    expect(posted).to.be.greaterThan(50);
  });

  it('closes at once when no agent listens', async () => {
    const tracing = await openTracing('buildctl', { JAEGER_TRACE: '127.0.0.1:9' });
    for (let i = 0; i < 300; i++) tracing.start('lost').finish();
    await tracing[Symbol.asyncDispose]();
  });

  it('marks a failed span, and a canceled one without calling it an error', async () => {
    await using agent = await JaegerAgent.listen();
    const tracing = await openTracing('buildkitd', { JAEGER_TRACE: `127.0.0.1:${agent.port}` });
    const failing = (error: unknown): Promise<void> => tracing.trace('step', {}, () => Promise.reject(error));
    await failing(new Error('boom')).catch(() => undefined);
    await failing(canceled()).catch(() => undefined);
    await tracing[Symbol.asyncDispose]();
    const [failed, stopped] = await agent.until((all) => all.length === 2);
    expect(failed?.tags).to.include({ error: true });
    expect(stopped?.tags).to.include({ canceled: true }).and.not.have.property('error');
  });
});

describe('JAEGER_TRACE', () => {
  it('speaks compact to 6831, binary to 6832, and http to a collector', () => {
    expect(parseEndpoint('0.0.0.0:6831')).to.include({ kind: 'udp', encoding: 'compact' });
    expect(parseEndpoint('[::1]:6832')).to.deep.include({ host: '::1', encoding: 'binary' });
    expect(parseEndpoint('http://jaeger:14268')).to.have.property('kind', 'http');
  });

  it('refuses what is no address, saying what is', () => {
    expect(() => parseEndpoint('jaeger')).to.throw('JAEGER_TRACE=jaeger is not an address');
  });

  it('costs nothing when unset', async () => {
    expect(await openTracing('buildctl', {})).to.equal(silentTracing);
  });
});

describe('propagation', () => {
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  const from = (headers: Record<string, string>) => extract((name) => headers[name]);

  it('reads back what it wrote, from either header', () => {
    const headers = inject(context);
    expect(from(headers)).to.deep.equal(context);
    expect(from({ 'uber-trace-id': headers['uber-trace-id']! })).to.deep.equal(context);
  });

  it('takes an unreadable or all-zero header for absent', () => {
    expect(from({ traceparent: 'nonsense', 'uber-trace-id': '0:0:0:1' })).to.equal(undefined);
    expect(from({ traceparent: `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01` })).to.equal(undefined);
  });
});
