import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Connection } from '../../../client/grpc/connection.js';
import { otlp } from '../../../proto/index.js';
import { TraceService } from '../../../proto/services.js';
import { JaegerAgent, type ReceivedSpan } from '../../support/jaeger-agent.js';
import { buildArgs } from '../support/build.js';
import { Buildx } from '../support/buildx.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { programs, succeed } from '../support/processes.js';

const because = 'spans name what this worker calls';

const NO_PARENT = '0'.repeat(16);

const dockerfile = (base: string): string => `
FROM ${base} AS one
RUN echo 1 >/1
FROM ${base}
COPY file /file
COPY --from=one /1 /1
RUN cat /1 /file >/2
`;

const steps = ['RUN echo 1 >/1', 'COPY file /file', 'COPY --from=one /1 /1', 'RUN cat /1 /file >/2'];

/** As a program in a step would. */
async function sendSpan(
  socket: string,
  { traceId, parent, name }: { readonly traceId: string; readonly parent: string; readonly name: string },
): Promise<void> {
  const connection = await Connection.open(`unix://${socket}`, {});
  try {
    const service = { key: 'service.name', value: { stringValue: 'make' } };
    const span = {
      ...{ traceId: Buffer.from(traceId, 'hex'), parentSpanId: Buffer.from(parent, 'hex') },
      ...{ spanId: Buffer.alloc(8, 7), name, startTimeUnixNano: 1, endTimeUnixNano: 2 },
    };
    const resourceSpans = [{ resource: { attributes: [service] }, scopeSpans: [{ spans: [span] }] }];
    const request = otlp.ExportTraceServiceRequest.create({ resourceSpans } as never);
    await connection.unary(TraceService.Export, request, { signal: new AbortController().signal });
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

/** The span that tells how a step fared. */
const stepSpan = (spans: readonly ReceivedSpan[], step: string): ReceivedSpan | undefined =>
  spans.find(({ name, tags }) => name.endsWith(step) && !name.startsWith('cache key') && 'cached' in tags);

onWorker('oci', because, 'JAEGER_TRACE', () => {
  let ground: Ground;
  let agent: JaegerAgent;
  let folder: string;
  let env: Record<string, string>;
  before(async () => {
    ground = await Ground.open('tracing');
    agent = await JaegerAgent.listen();
    env = { JAEGER_TRACE: `127.0.0.1:${agent.port}` };
    folder = await ground.write('context', { Dockerfile: dockerfile(ground.base), file: 'x\n' });
  });
  after(async () => {
    await agent[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  /** The spans of one build, once the client's root and the daemon's part have arrived. */
  async function traced(
    args: readonly string[],
    services: readonly string[],
    more = {},
  ): Promise<ReceivedSpan[]> {
    agent.spans.length = 0;
    await succeed(programs.buildctl, [...args, ...buildArgs({ folder })], { env: { ...env, ...more } });
    const has = (name: string, service: string): boolean =>
      agent.spans.some((span) => span.name === name && span.service === service);
    await agent.until(
      () => has('buildctl build', 'buildctl') && services.every((service) => has('solve', service)),
    );
    return [...agent.spans];
  }

  /** Checks that the spans are one trace below one root, and answers that root. */
  function expectOneTrace(spans: readonly ReceivedSpan[], parent = NO_PARENT): ReceivedSpan {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
    expect(roots.map(({ name }) => name)).to.deep.equal(['buildctl build']);
    expect(roots[0]?.parentSpanId).to.equal(parent);
    expect([...new Set(spans.map(({ traceId }) => traceId))]).to.have.length(1);
    return roots[0]!;
  }

  function expectSteps(spans: readonly ReceivedSpan[], worker: string, cached: boolean): void {
    for (const step of steps) {
      const span = stepSpan(spans, step);
      expect(span?.tags, step).to.include({ cached, worker });
      expect(span?.tags.vertex, step).to.match(/^sha256:[0-9a-f]{64}$/);
    }
  }

  it('sends one trace for each build by a daemon, from the client down to the processes', async () => {
    await using daemon = await ground.daemon('daemon', { env });
    const { stdout } = await daemon.buildctl(['debug', 'workers', '--format', '{{json .}}']);
    const worker = JSON.parse(stdout)[0].id;
    await agent.until((all) => all.some(({ name }) => name.endsWith('/ListWorkers')));
    const first = await traced(['--addr', daemon.address], ['buildkitd']);
    const root = expectOneTrace(first);
    expectSteps(first, worker, false);
    expect(first.filter(({ name }) => name === 'run process')).to.have.length(2);
    const solve = first.find(({ name }) => name === 'moby.buildkit.v1.Control/Solve');
    expect(solve).to.include({ service: 'buildkitd', parentSpanId: root.spanId });
    expect(first.find(({ name }) => name === 'solve')?.parentSpanId).to.equal(solve?.spanId);
    figure('spans of a first build', `${first.length}`);

    const second = await traced(['--addr', daemon.address], ['buildkitd']);
    expect(expectOneTrace(second).traceId).not.to.equal(root.traceId);
    expectSteps(second, worker, true);
    expect(second.filter(({ name }) => name === 'run process')).to.deep.equal([]);
    figure('spans of a second build', `${second.length}`);
  });

  it('sends one trace for an embedded build', async () => {
    const spans = await traced(['--root', ground.path('embedded')], ['buildctl']);
    expectOneTrace(spans);
    const worker = String(stepSpan(spans, steps[0]!)?.tags.worker);
    expect(worker).to.match(/^[a-z0-9]{25}$/);
    expectSteps(spans, worker, false);
  });

  it('continues the trace that TRACEPARENT names', async () => {
    const [trace, parent] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const more = { TRACEPARENT: `00-${trace}-${parent}-01` };
    await using daemon = await ground.daemon('continued', { env });
    const spans = await traced(['--addr', daemon.address], ['buildkitd'], more);
    expect(expectOneTrace(spans, parent).traceId).to.equal(trace);
  });

  it('sends one trace for each build by docker buildx, with the spans of both', async () => {
    await using daemon = await ground.daemon('buildx', { env });
    const buildx = await Buildx.create(ground, daemon);
    agent.spans.length = 0;
    await buildx.build(folder, ['--no-cache']);
    const isRoot = ({ service, name }: ReceivedSpan): boolean =>
      service === 'buildx' && name.startsWith('build ');
    await agent.until((all) => all.some(isRoot) && all.some(({ name }) => name === 'solve'));
    const { traceId } = agent.spans.find(isRoot)!;
    const spans = agent.spans.filter((span) => span.traceId === traceId);
    const ids = spans.map(({ spanId }) => spanId);
    expect(new Set(ids).size, 'no span comes twice').to.equal(ids.length);
    const orphans = spans.filter(({ parentSpanId }) => !ids.includes(parentSpanId));
    expect(orphans.map(({ name }) => name)).to.deep.equal([spans.find(isRoot)!.name]);
    const parentOf = (span: ReceivedSpan | undefined): ReceivedSpan | undefined =>
      spans.find(({ spanId }) => spanId === span?.parentSpanId);
    const solve = spans.find(({ name }) => name === 'solve');
    expect(parentOf(solve)).to.include({ service: 'buildkitd', name: 'moby.buildkit.v1.Control/Solve' });
    expect(parentOf(parentOf(solve))).to.include({
      service: 'buildx',
      name: 'moby.buildkit.v1.Control/Solve',
    });
    for (const step of steps) expect(stepSpan(spans, step)?.tags, step).to.include({ cached: false });
  });

  it('lets steps send spans of their own, below their step', async () => {
    await using daemon = await ground.daemon('steps', { env });
    const out = ground.path('step');
    const context = await ground.write('telling', {
      Dockerfile: [
        `FROM ${ground.base} AS told`,
        'RUN test -S /dev/otel-grpc.sock && mkdir /out && env >/out/env',
        'FROM scratch',
        'COPY --from=told /out /',
      ].join('\n'),
    });
    agent.spans.length = 0;
    await succeed(
      programs.buildctl,
      ['--addr', daemon.address, ...buildArgs({ folder: context, outputs: [`type=local,dest=${out}`] })],
      { env },
    );
    const told = Object.fromEntries(
      (await readFile(`${out}/env`, 'utf8'))
        .split('\n')
        .map((line) => line.split('=', 2) as [string, string]),
    );
    expect(told).to.include({
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'unix:///dev/otel-grpc.sock',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    });
    const [, traceId, parent] = told.TRACEPARENT!.split('-') as [string, string, string];
    await sendSpan(ground.path('steps', 'buildkitd.otel-grpc.sock'), { traceId, parent, name: 'make all' });
    await agent.until((all) => all.some(({ name }) => name === 'make all'));
    const own = agent.spans.find(({ name }) => name === 'make all');
    expect(own).to.include({ service: 'make', traceId, parentSpanId: parent });
    expect(agent.spans.find(({ spanId }) => spanId === parent)?.name).to.equal('run process');
  });

  it('is only needed by the daemon: clients without it send their traceparent, or none', async () => {
    await using daemon = await ground.daemon('alone', { env });
    agent.spans.length = 0;
    await succeed(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder })]);
    const spans = await agent.until((all) =>
      all.some(({ name }) => name === 'moby.buildkit.v1.Control/Solve'),
    );
    expect(new Set(spans.map(({ service }) => service))).to.deep.equal(new Set(['buildkitd']));
  });
});
