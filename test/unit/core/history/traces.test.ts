import { expect } from 'chai';
import { jaegerJson } from '../../../../client/trace/jaeger-json.js';
import { parseSpanStubs } from '../../../../client/trace/span-stubs.js';
import { type FinishedSpan, silentTracing } from '../../../../core/contracts/index.js';
import { finishedSpans } from '../../../../core/history/traces/otlp-spans.js';
import { RecordingTracing } from '../../../../core/history/traces/recording-tracing.js';
import { spanStubs } from '../../../../core/history/traces/span-stubs.js';
import { TraceRecorder } from '../../../../core/history/traces/trace-recorder.js';
import { otlp } from '../../../../proto/index.js';

const textOf = (spans: readonly FinishedSpan[]): string => Buffer.concat([...spanStubs(spans)]).toString();

interface JaegerSpan {
  readonly operationName: string;
  readonly references: readonly object[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly type: string; readonly value: unknown }[];
  readonly logs: readonly { readonly fields: readonly { readonly value: unknown }[] }[];
  readonly processID: string;
}

const inJaeger = (spans: readonly FinishedSpan[]) =>
  JSON.parse(jaegerJson(parseSpanStubs(textOf(spans)))).data[0] as {
    traceID: string;
    spans: JaegerSpan[];
    processes: Record<string, { serviceName: string }>;
  };

describe('recorded traces', () => {
  let recorder: TraceRecorder;
  let tracing: RecordingTracing;
  beforeEach(() => {
    recorder = new TraceRecorder();
    tracing = new RecordingTracing('buildkitd', recorder, silentTracing, { owned: true });
  });

  it('have the spans of their trace, below each other, and no others', async () => {
    const root = tracing.start('root');
    using recording = recorder.record(root.context.traceId);
    tracing.start('elsewhere').finish();
    await tracing.trace('inner', { parent: root.context, tags: { n: 1 } }, async () => {});
    root.finish();
    root.finish();
    expect(recording.spans.map(({ name }) => name)).to.deep.equal(['inner', 'root']);
    expect(recording.spans[0]?.parentSpanId).to.equal(root.context.spanId);
    expect(recording.spans[1]?.parentSpanId).to.equal(undefined);
  });

  it('are written as OpenTelemetry’s Go library does, whatever they are called', () => {
    const [traceId, spanId] = ['1f'.repeat(16), '2e'.repeat(8)];
    const at = Date.parse('2026-03-04T05:06:07.089Z');
    const name = 'a "name"\n{with} \u{1f600} and \\';
    const span: FinishedSpan = {
      service: 'buildkitd',
      name,
      context: { traceId, spanId, sampled: true },
      parentSpanId: undefined,
      kind: 'server',
      startedAt: at + 0.5,
      endedAt: at + 1911,
      tags: { [name]: name, whole: 3, part: 0.5, yes: true },
      logs: [{ at, fields: { event: 'seen', what: name } }],
      links: [{ traceId, spanId: '3d'.repeat(8), sampled: false }],
      error: name,
    };
    const child = { ...span, context: { ...span.context, spanId: '4c'.repeat(8) }, parentSpanId: spanId };
    const [first, second] = textOf([span, child]).trimEnd().split('\n');
    const context = (SpanID: string, TraceFlags = '01', TraceID = traceId) => ({
      ...{ TraceID, SpanID, TraceFlags, TraceState: '', Remote: false },
    });
    const text = (Key: string, Value: string) => ({ Key, Value: { Type: 'STRING', Value } });
    const scope = { Name: 'buildkit-ts', Version: '', SchemaURL: '', Attributes: {} };
    const event = (Name: string, Time: string, ...Attributes: readonly object[]) => ({
      ...{ Name, Attributes, DroppedAttributeCount: 0, Time },
    });
    expect(JSON.parse(first!)).to.deep.equal({
      Name: name,
      SpanContext: context(spanId),
      Parent: context('0'.repeat(16), '00', '0'.repeat(32)),
      SpanKind: 2,
      StartTime: '2026-03-04T05:06:07.089500000Z',
      EndTime: '2026-03-04T05:06:09.000000000Z',
      Attributes: [
        text(name, name),
        { Key: 'whole', Value: { Type: 'INT64', Value: 3 } },
        { Key: 'part', Value: { Type: 'FLOAT64', Value: 0.5 } },
        { Key: 'yes', Value: { Type: 'BOOL', Value: true } },
      ],
      Events: [
        event('seen', '2026-03-04T05:06:07.089000000Z', text('what', name)),
        event('exception', '2026-03-04T05:06:09.000000000Z', text('exception.message', name)),
      ],
      Links: [{ SpanContext: context('3d'.repeat(8), '00'), Attributes: [], DroppedAttributeCount: 0 }],
      Status: { Code: 1, Description: name },
      DroppedAttributes: 0,
      DroppedEvents: 0,
      DroppedLinks: 0,
      ChildSpanCount: 1,
      Resource: [text('service.name', 'buildkitd')],
      InstrumentationScope: scope,
      InstrumentationLibrary: scope,
    });
    expect(JSON.parse(second!)).to.deep.include({ Parent: context(spanId), ChildSpanCount: 0 });
  });

  it('stop growing when nobody records them', () => {
    const root = tracing.start('root');
    const recording = recorder.record(root.context.traceId);
    recording[Symbol.dispose]();
    root.finish();
    expect(recording.spans).to.have.length(0);
  });

  it('say what failed, and what a step was shared with', async () => {
    const other = tracing.start('other build');
    const root = tracing.start('root', { followsFrom: other.context });
    using recording = recorder.record(root.context.traceId);
    const failing = tracing.trace('step', { parent: root.context, kind: 'server' }, async () => {
      throw new Error('exit code: 1');
    });
    await failing.catch(() => {});
    root.finish();
    const { spans, processes } = inJaeger(recording.spans);
    const [step, top] = spans as [JaegerSpan, JaegerSpan];
    expect(step.tags).to.deep.include.members([
      { key: 'error', type: 'bool', value: true },
      { key: 'span.kind', type: 'string', value: 'server' },
      { key: 'otel.status_description', type: 'string', value: 'exit code: 1' },
    ]);
    const { traceId: traceID, spanId: spanID } = other.context;
    expect(top.references).to.deep.equal([{ refType: 'FOLLOWS_FROM', traceID, spanID }]);
    expect(processes[step.processID]?.serviceName).to.equal('buildkitd');
  });

  it('carry their context in the header that peers read', () => {
    const { context } = tracing.start('root');
    const headers = tracing.inject(context);
    expect(tracing.extract((name) => headers[name])).to.deep.equal(context);
    expect(tracing.extract(() => '00-0-0-00')).to.equal(undefined);
  });

  it('take in what clients send', () => {
    const [traceId, spanId] = [Buffer.alloc(16, 0xab), Buffer.alloc(8, 0xcd)];
    const request = otlp.ExportTraceServiceRequest.decode(
      otlp.ExportTraceServiceRequest.encode({
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'buildx' } }] },
            scopeSpans: [
              {
                scope: { name: 'lib' },
                spans: [
                  {
                    traceId,
                    spanId,
                    parentSpanId: Buffer.alloc(0),
                    name: 'build',
                    kind: 3,
                    startTimeUnixNano: 1_700_000_000_000_000_000,
                    endTimeUnixNano: 1_700_000_001_500_000_000,
                    attributes: [
                      { key: 'count', value: { intValue: 3 } },
                      { key: 'ok', value: { boolValue: false } },
                      {
                        key: 'list',
                        value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 2 }] } },
                      },
                    ],
                    events: [{ timeUnixNano: 1_700_000_000_500_000_000, name: 'halfway' }],
                    status: { code: 2, message: 'no' },
                  },
                  { traceId: Buffer.alloc(3), spanId, name: 'without ids' },
                ],
              },
            ],
          },
        ],
      }).finish(),
    );
    const spans = finishedSpans(request);
    expect(spans.map(({ name, service, kind, error }) => ({ name, service, kind, error }))).to.deep.equal([
      { name: 'build', service: 'buildx', kind: 'client', error: 'no' },
    ]);
    const [span] = inJaeger(spans).spans;
    expect(span).to.include({ startTime: 1_700_000_000_000_000, duration: 1_500_000 });
    expect(span?.tags).to.deep.include.members([
      { key: 'count', type: 'int64', value: 3 },
      { key: 'ok', type: 'bool', value: false },
      { key: 'list', type: 'string', value: 'a, 2' },
    ]);
    expect(span?.logs[0]?.fields[0]?.value).to.equal('halfway');
  });

  it('have a span once that a client sends over each of its connections', () => {
    const { context } = tracing.start('root');
    using recording = recorder.record(context.traceId);
    const span: FinishedSpan = {
      ...{ service: 'buildx', name: 'build', context, parentSpanId: undefined, kind: 'client' },
      ...{ startedAt: 1, endedAt: 2, tags: {}, logs: [], links: [] },
    };
    for (let connection = 0; connection < 4; connection++) tracing.forward([span]);
    tracing.forward([{ ...span, context: { ...context, spanId: 'b7ad6b7169203331' } }]);
    expect(recording.spans).to.have.length(2);
  });

  it('go to a tracer that takes them when they are over, unless their client wants them nowhere', async () => {
    const sent: string[] = [];
    const inner = {
      ...silentTracing,
      forward: (spans: readonly FinishedSpan[]) => sent.push(...spans.map(({ name }) => name)),
    };
    const both = new RecordingTracing('buildkitd', recorder, inner, { owned: true });
    await both.trace('outer', {}, () => both.trace('inner', {}, async () => {}));
    const unsampled = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: false };
    both.start('unsampled', { parent: unsampled }).finish();
    expect(sent).to.deep.equal(['inner', 'outer']);
    await both[Symbol.asyncDispose]();
  });

  it('that are no spans are refused', () => {
    expect(() => parseSpanStubs('{"Name"')).to.throw('not in a form');
  });
});
