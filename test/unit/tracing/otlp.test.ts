import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { type FinishedSpan, silentTracing } from '../../../core/contracts/index.js';
import { finishedSpans } from '../../../core/history/traces/otlp-spans.js';
import { otlp } from '../../../proto/index.js';
import { TraceService } from '../../../proto/services.js';
import { openTracing } from '../../../tracing/index.js';
import { otlpEndpoint } from '../../../tracing/otlp-settings.js';

/** Two spans, the lower of which fails; answers what the collector was sent once tracing is closed. */
async function traced(env: NodeJS.ProcessEnv): Promise<void> {
  await using tracing = await openTracing('buildkitd', env);
  await tracing.trace('solve', { tags: { ref: 'x' } }, async (outer) => {
    const inner = tracing.start('step', {
      parent: outer.context,
      kind: 'client',
      tags: { cached: true, n: 3 },
    });
    inner.fail(new Error('exit code: 1'));
    inner.finish();
  });
}

function expectBoth(spans: readonly FinishedSpan[], service: string): void {
  expect(new Set(spans.map((span) => span.service))).to.deep.equal(new Set([service]));
  const [outer, inner] = ['solve', 'step'].map((name) => spans.find((span) => span.name === name)!);
  expect(outer).to.include({ parentSpanId: undefined, kind: 'internal' });
  expect(outer!.endedAt).to.be.at.least(outer!.startedAt);
  expect(Math.abs(outer!.startedAt - Date.now())).to.be.below(60_000);
  expect(inner).to.include({ parentSpanId: outer!.context.spanId, kind: 'client', error: 'failed' });
  expect(inner!.context.traceId).to.equal(outer!.context.traceId);
  expect(inner!.tags).to.include({ cached: true, n: 3 });
  expect(inner!.logs[0]?.fields).to.include({ event: 'error', message: 'exit code: 1' });
}

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('sends spans over gRPC, with headers, under the name that is asked for', async () => {
    const spans: FinishedSpan[] = [];
    const keys: unknown[] = [];
    const server = new Server();
    server.addService(
      { Export: TraceService.Export },
      {
        Export: (
          call: { request: otlp.ExportTraceServiceRequest; metadata: { get(key: string): unknown[] } },
          done: (error: null, answer: object) => void,
        ) => {
          spans.push(...finishedSpans(call.request));
          keys.push(...call.metadata.get('key'));
          done(null, {});
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    await traced({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'key=a%20b',
      OTEL_SERVICE_NAME: 'builder',
    });
    server.forceShutdown();
    expectBoth(spans, 'builder');
    expect(keys[0]).to.equal('a b');
  });

  it('sends spans over HTTP', async () => {
    const spans: FinishedSpan[] = [];
    const paths: unknown[] = [];
    const server = createServer(async (request, response) => {
      paths.push(request.url, request.headers['content-type']);
      spans.push(...finishedSpans(otlp.ExportTraceServiceRequest.decode(await buffer(request))));
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await traced({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    });
    server.close();
    server.closeAllConnections();
    expectBoth(spans, 'buildkitd');
    expect(paths.slice(0, 2)).to.deep.equal(['/v1/traces', 'application/x-protobuf']);
  });

  it('is read as OpenTelemetry says', () => {
    const url = (env: NodeJS.ProcessEnv): string | undefined => otlpEndpoint(env)?.url.href;
    expect(url({})).to.equal(undefined);
    expect(url({ OTEL_TRACES_EXPORTER: 'otlp' })).to.equal('http://localhost:4317/');
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'c:1' })).to.equal('https://c:1/');
    expect(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'c:1', OTEL_EXPORTER_OTLP_INSECURE: 'true' })).to.equal(
      'http://c:1/',
    );
    const http = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' };
    expect(url({ ...http, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1/in' })).to.equal(
      'http://c:1/in/v1/traces',
    );
    expect(url({ ...http, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:1/in' })).to.equal('http://c:1/in');
  });

  it('is refused where it cannot be served, and is not needed', async () => {
    const failure = (env: NodeJS.ProcessEnv): Promise<string> =>
      openTracing('x', env).then(String, (error: Error) => error.message);
    expect(await failure({ OTEL_TRACES_EXPORTER: 'zipkin' })).to.contain('otlp, jaeger, none');
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1' };
    expect(await failure({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })).to.contain(
      'http/protobuf',
    );
    expect(await failure({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'x' })).to.contain('name=value');
    expect(await openTracing('x', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).to.equal(silentTracing);
  });
});
