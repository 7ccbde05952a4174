import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { BlobHolds } from '../../../../core/content/blob-holds.js';
import { LocalContentStore } from '../../../../core/content/content-store.js';
import { collectBlobs } from '../../../../core/content/garbage.js';
import { contentReferenceLabel, silentLogger, silentTracing } from '../../../../core/contracts/index.js';
import type { BuildEnding } from '../../../../core/history/build-recording.js';
import { History } from '../../../../core/history/history.js';
import { RecordingTracing } from '../../../../core/history/traces/recording-tracing.js';
import { TraceRecorder } from '../../../../core/history/traces/trace-recorder.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { type Digest, sha256 } from '../../../../core/util/digest.js';
import { control, type Init, rpc } from '../../../../proto/index.js';

const call = { signal: new AbortController().signal };
const kinds = ['started', 'complete', 'deleted'];

async function* progress(...messages: Init<control.StatusResponse>[]): AsyncIterable<control.StatusResponse> {
  for (const message of messages) yield control.StatusResponse.create(message);
}

describe('history', () => {
  let dir: string;
  let kv: MemoryKv;
  let content: LocalContentStore;
  let recorder: TraceRecorder;
  let history: History;

  const open = (limits = { maxAge: 3600_000, maxEntries: 50 }): Promise<History> =>
    History.open({ kv, content, logger: silentLogger, limits, traces: recorder });

  beforeEach(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'history-'));
    kv = new MemoryKv();
    content = await LocalContentStore.open(dir, { kv });
    recorder = new TraceRecorder();
    history = await open();
  });
  afterEach(async () => {
    await history[Symbol.asyncDispose]();
    await fs.rm(dir, { recursive: true });
  });

  const begin = (ref: string, traceId?: string) =>
    history.begin({ ref, frontend: 'dockerfile.v0', frontendAttrs: { target: 'x' }, exporters: [], traceId });

  const ending = (more: Partial<BuildEnding> = {}): BuildEnding => ({
    progress: progress({
      vertexes: [{ digest: 'sha256:1', name: 'step', completed: { seconds: 1, nanos: 0 } }],
    }),
    response: { 'image.name': 'x' },
    results: new Map(),
    ...more,
  });

  /** Records a build that has ended. */
  async function recorded(ref: string, more: Partial<BuildEnding> = {}): Promise<control.BuildHistoryRecord> {
    const recording = begin(ref);
    recording.end(ending(more));
    await recording.written();
    return find(ref);
  }

  async function list(request: Partial<control.BuildHistoryRequest> = {}): Promise<string[]> {
    const found: string[] = [];
    for await (const { type, record } of history.listen({ ...request, EarlyExit: true }, call)) {
      found.push(`${kinds[type]} ${record?.Ref}`);
    }
    return found;
  }

  async function find(ref: string): Promise<control.BuildHistoryRecord> {
    for await (const { record } of history.listen({ Ref: ref, EarlyExit: true }, call)) return record!;
    throw new Error(`no record of ${ref}`);
  }

  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'done',
      (error: { code: string }) => error.code,
    );

  const collect = (): Promise<unknown> =>
    collectBlobs(content, new BlobHolds(kv), { keepSince: Number.POSITIVE_INFINITY });

  it('lists builds that run, and those that have ended with what they were', async () => {
    const running = begin('runs');
    const record = await recorded('done');
    expect(await list()).to.deep.equal(['started runs', 'complete done']);
    expect(await list({ ActiveOnly: true })).to.deep.equal(['started runs']);
    expect(await list({ Filter: ['status==completed'] })).to.include('complete done');
    expect(record).to.deep.include({
      Frontend: 'dockerfile.v0',
      FrontendAttrs: { target: 'x' },
      ExporterResponse: { 'image.name': 'x' },
      numTotalSteps: 1,
      numCompletedSteps: 1,
      Generation: 0,
    });
    expect(record.CompletedAt!.seconds).to.be.at.least(record.CreatedAt!.seconds);
    running.end(ending());
  });

  it('has the record of a build for whoever asks right after its end', async () => {
    begin('quick').end(ending());
    expect(await list({ Ref: 'quick' })).to.deep.equal(['complete quick']);
  });

  it('replays the progress of a build that is over, and knows of no other', async () => {
    await recorded('done');
    const names: string[] = [];
    for await (const message of (await history.replay('done', call.signal))!) {
      names.push(...message.vertexes.map(({ name }) => name));
    }
    expect(names).to.deep.equal(['step']);
    expect(await history.replay('never', call.signal)).to.equal(undefined);
  });

  it('keeps an error with its details in a blob, and without them in the record', async () => {
    const error = { code: 2, message: 'exit code: 1', details: [{ typeUrl: 'x', value: Buffer.from('y') }] };
    const record = await recorded('bad', { error });
    expect(record.error?.message).to.equal('exit code: 1');
    expect(record.error?.details).to.deep.equal([]);
    const blob = await content.readBlob(record.externalError!.digest as Digest);
    expect(rpc.Status.decode(blob).details[0]?.typeUrl).to.equal('x');
  });

  it('keeps its blobs and the documents of an image, not its layers', async () => {
    const layer = await content.writeBlob(Buffer.from('layer'));
    const config = await content.writeBlob(Buffer.from('{}'));
    const data = Buffer.from(JSON.stringify({ config: { mediaType: 'application/json', digest: config } }));
    const labels = { [contentReferenceLabel(0)]: layer, [contentReferenceLabel(1)]: config };
    const digest = await content.writeBlob(data, labels);
    const image = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: data.length };
    const record = await recorded('image', { results: new Map([[0, image]]) });
    expect(record.Result?.Results[0]?.digest).to.equal(digest);

    await collect();
    const log = record.logs!.digest as Digest;
    for (const kept of [digest, config, log]) expect(await content.info(kept), kept).not.to.equal(undefined);
    expect(await content.info(layer)).to.equal(undefined);

    await history.update({ Ref: 'image', Delete: true });
    expect(await content.info(log), 'a blob of its own goes with it').to.equal(undefined);
    await collect();
    expect(await content.info(digest)).to.equal(undefined);
  });

  it('keeps what is stated about a result, by platform where there are several', async () => {
    const predicateType = 'https://slsa.dev/provenance/v0.2';
    const stated = (text: string) => [{ predicateType, predicate: Buffer.from(text) }];
    const one = await recorded('one', { statements: new Map([['', stated('{"of":1}')]]) });
    const [attestation] = one.Result!.Attestations;
    expect(attestation).to.deep.include({
      mediaType: 'application/vnd.in-toto+json',
      annotations: { 'in-toto.io/predicate-type': predicateType },
    });
    const blob = attestation!.digest as Digest;
    expect(Buffer.from(await content.readBlob(blob)).toString()).to.equal('{"of":1}');
    const statements = new Map(['linux/amd64', 'linux/arm64'].map((id) => [id, stated(`{"of":"${id}"}`)]));
    const many = await recorded('many', { statements });
    expect(Object.keys(many.Results)).to.deep.equal(['linux/amd64', 'linux/arm64']);
    await history.update({ Ref: 'one', Delete: true });
    expect(await content.info(blob)).to.equal(undefined);
  });

  it('leaves a blob that another record has as well', async () => {
    const [one] = [await recorded('one'), await recorded('two')];
    await history.update({ Ref: 'one', Delete: true });
    expect(await content.info(one.logs!.digest as Digest)).not.to.equal(undefined);
    expect(await list()).to.deep.equal(['complete two']);
  });

  it('pins and unpins, counting the changes', async () => {
    await recorded('done');
    await history.update({ Ref: 'done', Pinned: true });
    expect(await find('done')).to.include({ pinned: true, Generation: 1 });
    await history.update({ Ref: 'done' });
    expect(await find('done')).to.include({ pinned: false, Generation: 2 });
  });

  it('refuses to change what is not there, or runs', async () => {
    const running = begin('runs');
    expect(await codeOf(history.update({ Ref: 'never', Delete: true }))).to.equal('control.no-record');
    expect(await codeOf(history.update({ Ref: 'runs', Pinned: true }))).to.equal('control.build-runs');
    running.end(ending());
  });

  it('tells listeners what happens, and ends them when it is closed', async () => {
    const seen: string[] = [];
    const listening = (async () => {
      for await (const { type, record } of history.listen({}, call))
        seen.push(`${kinds[type]} ${record?.Ref}`);
    })();
    await recorded('one');
    await history.update({ Ref: 'one', Pinned: true });
    await history.update({ Ref: 'one', Delete: true });
    await history[Symbol.asyncDispose]();
    await listening;
    expect(seen).to.deep.equal(['started one', 'complete one', 'complete one', 'deleted one']);
  });

  it('outlives the engine, and marks as failed what was cut off with it', async () => {
    await recorded('done');
    begin('cut off');
    // Killed: nothing is disposed.
    history = await open();
    expect(await list()).to.have.members(['complete done', 'complete cut off']);
    expect((await find('cut off')).error?.message).to.match(/killed while this build ran/);
    expect((await find('done')).error).to.equal(undefined);
  });

  it('removes old records when it is opened', async () => {
    await recorded('old');
    await recorded('kept');
    await history.update({ Ref: 'kept', Pinned: true });
    await history[Symbol.asyncDispose]();
    history = await open({ maxAge: -1000, maxEntries: 0 });
    await history[Symbol.asyncDispose]();
    expect(await list()).to.deep.equal(['complete kept']);
  });

  it('goes without a record that cannot be written', async () => {
    const recording = begin('broken');
    const failing = (async function* () {
      yield* progress({});
      throw new Error('disk full');
    })();
    recording.end(ending({ progress: failing }));
    await recording.written();
    expect(await list()).to.deep.equal([]);
  });

  it('adds the trace once it is asked for, with spans of the client that came late', async () => {
    const tracing = new RecordingTracing('buildkitd', recorder, silentTracing, { owned: true });
    const { traceId } = tracing.start('solve').context;
    const recording = begin('traced', traceId);
    const step = tracing.start('step', { parent: { traceId, spanId: '1'.repeat(16), sampled: true } });
    step.finish();
    recording.end(ending());
    await recording.written();
    const late = { traceId, spanId: '2'.repeat(16), sampled: true };
    const common = {
      parentSpanId: undefined,
      kind: 'client',
      startedAt: 1,
      endedAt: 2,
      tags: {},
      logs: [],
      links: [],
    };
    tracing.forward([{ ...common, service: 'buildx', name: 'build', context: late } as never]);
    await history.update({ Ref: 'traced', Finalize: true });
    const { trace, Generation } = await find('traced');
    expect(Generation).to.equal(1);
    const text = Buffer.from(await content.readBlob(trace!.digest as Digest)).toString();
    expect([...text.matchAll(/^{"Name":"(.*?)"/gm)].map(([, name]) => name)).to.deep.equal(['step', 'build']);
    expect(sha256(text)).to.equal(trace!.digest);
  });
});
