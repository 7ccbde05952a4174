/** What `docker buildx history` asks for, by the calls that it makes: records, finalized traces, and blobs by ranges. */
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Connection } from '../../../client/grpc/connection.js';
import { control } from '../../../proto/index.js';
import { Content, Control } from '../../../proto/services.js';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

const call = { signal: new AbortController().signal };

onWorker('oci', because, 'clients of the history', () => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let connection: Connection;
  const refs: string[] = [];
  before(async () => {
    ground = await Ground.open('history-clients');
    daemon = await ground.daemon('daemon', { config: '[history]\ntraces = true\n' });
    connection = await Connection.open(daemon.address);
    const folder = await ground.write('context', {
      Dockerfile: `FROM ${ground.base}\nRUN echo made >/made\n`,
    });
    for (const name of ['first', 'second']) {
      const file = ground.path(name);
      const { code, stderr } = await daemon.buildctl(
        buildArgs({
          folder,
          opts: { 'attest:provenance': 'mode=max', filename: 'Dockerfile' },
          outputs: [`type=oci,dest=${file}.tar`],
          args: ['--ref-file', file],
        }),
      );
      expect(code, stderr).to.equal(0);
      refs.push(await readFile(file, 'utf8'));
    }
  });
  after(async () => {
    await connection?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  async function records(
    request: Partial<control.BuildHistoryRequest>,
  ): Promise<control.BuildHistoryRecord[]> {
    const found: control.BuildHistoryRecord[] = [];
    const whole = control.BuildHistoryRequest.create({ EarlyExit: true, ...request });
    for await (const { record } of connection.stream(Control.ListenBuildHistory, whole, call))
      found.push(record!);
    return found;
  }

  /** As containerd's client reads: the size first, then from an offset. */
  async function blob(digest: string, offset = 0, size = 0): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const { data } of connection.stream(Content.Read, { digest, offset, size }, call))
      parts.push(data);
    return Buffer.concat(parts);
  }

  it('find a build by its ref, the newest by a limit, and builds by filters', async () => {
    const [first, second] = refs as [string, string];
    const refsOf = async (request: Partial<control.BuildHistoryRequest>): Promise<string[]> =>
      (await records(request)).map(({ Ref }) => Ref);
    expect(await refsOf({ Ref: first })).to.deep.equal([first]);
    expect(await refsOf({ Limit: 1 })).to.deep.equal([second]);
    expect(await refsOf({ Filter: ['status==completed'] })).to.have.members([first, second]);
    expect(await refsOf({ Filter: ['status==error'] })).to.deep.equal([]);
  });

  it('get the trace once they have finalized the build', async () => {
    await connection.unary(
      Control.UpdateBuildHistory,
      control.UpdateBuildHistoryRequest.create({ Ref: refs[1]!, Finalize: true }),
      call,
    );
    const [record] = await records({ Ref: refs[1]! });
    expect(record?.trace?.mediaType).to.equal('application/vnd.buildkit.otlp.json.v0');
    const text = (await blob(record!.trace!.digest)).toString();
    // One document after the other, each as OpenTelemetry's Go library writes a span.
    const spans = text.split(/^(?=\{)/m).map((document) => JSON.parse(document));
    expect(spans.map(({ Name }) => Name)).to.include.members(['solve', 'frontend dockerfile.v0']);
    for (const { SpanContext, StartTime, Resource } of spans) {
      expect(SpanContext.TraceID).to.match(/^[0-9a-f]{32}$/);
      expect(new Date(StartTime).getTime()).to.be.above(0);
      expect(Resource[0].Key).to.equal('service.name');
    }
  });

  it('read provenance, log and image as descriptors say, whole and in parts', async () => {
    const [record] = await records({ Ref: refs[0]! });
    const { logs, Result, numTotalSteps, numCompletedSteps, FrontendAttrs } = record!;
    expect(numCompletedSteps).to.equal(numTotalSteps);
    expect(FrontendAttrs).to.include({ filename: 'Dockerfile' });
    const [provenance] = Result!.Attestations;
    expect(provenance?.annotations['in-toto.io/predicate-type']).to.match(
      /^https:\/\/slsa\.dev\/provenance\//,
    );
    const image = Object.values(Result!.Results)[0]!;
    for (const { digest, size } of [logs!, provenance!, image]) {
      const { info } = await connection.unary(Content.Info, { digest }, call);
      expect(info?.size).to.equal(size);
      const whole = await blob(digest);
      expect(whole.length).to.equal(size);
      expect(await blob(digest, 3, 10)).to.deep.equal(whole.subarray(3, 13));
    }
    expect(JSON.parse((await blob(provenance!.digest)).toString())).to.include.keys(
      'builder',
      'buildType',
      'materials',
    );
    expect(image.mediaType).to.equal('application/vnd.oci.image.index.v1+json');
  });
});
