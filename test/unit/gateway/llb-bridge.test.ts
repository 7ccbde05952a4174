import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import { LlbBridge } from '../../../core/gateway/llb-bridge.js';
import { gateway, type Init, type MessageType } from '../../../proto/index.js';
import { statusOf } from '../../../proto/status.js';
import { type FakeBuild, fakeBuild, imageDigest, local, localDefinition, localDigest } from './fakes.js';

const signal = new AbortController().signal;
const failure = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return `${error.grpcCode}: ${error.message}`;
  throw new Error(`expected a BuildError, got ${error}`);
};

describe('LlbBridge', () => {
  let build: FakeBuild;
  let bridge: LlbBridge;

  beforeEach(() => {
    build = fakeBuild();
    build.job.answer = async () => build.services.worker.refs.make({ '/a': 'hello' }, 'tree');
    bridge = new LlbBridge(build.bridge, new Map([['base', local('base')]]));
  });

  /** As it comes off the wire. */
  const request = <T>(type: MessageType<T>, value: Init<T>): T => type.decode(type.encode(value).finish());
  const solveRequest = (more: Init<gateway.SolveRequest> = {}): gateway.SolveRequest =>
    request(gateway.SolveRequest, {
      Definition: localDefinition('ctx'),
      allowResultReturn: true,
      allowResultArrayRef: true,
      ...more,
    });
  const solvedId = async (): Promise<string> =>
    (await bridge.solve(solveRequest(), signal)).result?.ref?.id ?? '';
  const returnResult = (result: Init<gateway.Result>): Promise<unknown> =>
    bridge.return(request(gateway.ReturnRequest, { result }));

  it('offers in Ping what works, and the workers', async () => {
    const pong = await bridge.ping();
    expect(pong.FrontendAPICaps?.map((cap) => cap.ID)).to.include.members([
      'solve.base',
      'readfile',
      'return',
    ]);
    expect(pong.FrontendAPICaps?.map((cap) => cap.ID)).to.not.include('importcaches');
    expect(pong.LLBCaps?.map((cap) => cap.ID)).to.include.members([
      'file.base',
      'exec.mount.cache',
      'mergeop',
    ]);
    expect(pong.LLBCaps?.map((cap) => cap.ID)).to.not.include('exporter.session');
    expect(pong.Workers?.[0]).to.deep.include({ ID: 'worker' });
  });

  it('answers refs with their definitions', async () => {
    const { result } = await bridge.solve(solveRequest(), signal);
    expect(result?.ref?.id).to.match(/^[0-9a-z]{25}$/);
    expect(result?.ref?.def?.def).to.deep.equal(localDefinition('ctx').def);
  });

  it('answers old clients in their way', async () => {
    const response = await bridge.solve(
      solveRequest({ allowResultReturn: false, allowResultArrayRef: false }),
      signal,
    );
    expect(response.ref).to.match(/^[0-9a-z]{25}$/);
    expect(response.result?.refDeprecated).to.equal(response.ref);
  });

  it('reads files, folders and stats of a ref', async () => {
    const Ref = await solvedId();
    const file = await bridge.readFile(request(gateway.ReadFileRequest, { Ref, FilePath: '/a' }), signal);
    expect(Buffer.from(file.Data ?? []).toString()).to.equal('hello');
    const part = await bridge.readFile(
      request(gateway.ReadFileRequest, { Ref, FilePath: '/a', Range: { Offset: 3, Length: 1 } }),
      signal,
    );
    expect(Buffer.from(part.Data ?? []).toString()).to.equal('l');
    const { entries } = await bridge.readDir(request(gateway.ReadDirRequest, { Ref, DirPath: '/' }), signal);
    expect(entries.map(({ path }) => path)).to.deep.equal(['/a']);
    const { stat } = await bridge.statFile(request(gateway.StatFileRequest, { Ref, Path: '/a' }), signal);
    expect(stat.size).to.equal(5);
    expect(await bridge.evaluate(request(gateway.EvaluateRequest, { Ref }), signal)).to.deep.equal({});
  });

  it('knows no ref but its own', async () => {
    expect(await failure(bridge.evaluate(request(gateway.EvaluateRequest, { Ref: 'x' }), signal))).to.equal(
      'NotFound: no such ref: x',
    );
    expect(await failure(returnResult({ ref: { id: 'x' } }))).to.equal('NotFound: no such ref: x');
    expect(bridge.isReturned).to.equal(false);
  });

  it('ends with the result that is returned', async () => {
    const id = await solvedId();
    await returnResult({
      refs: { refs: { 'linux/amd64': { id }, none: { id: '' } } },
      metadata: { k: Buffer.from('v') },
    });
    const { refs, metadata } = await bridge.returned;
    expect([...(refs ?? [])].map(([key, ref]) => [key, ref?.id])).to.deep.equal([
      ['linux/amd64', id],
      ['none', undefined],
    ]);
    expect(Buffer.from(metadata.get('k') ?? []).toString()).to.equal('v');
  });

  it('ends with the error that is returned, details and all', async () => {
    const error = new BuildError('test.failed', 'it failed', {
      grpcCode: 'NotFound',
      details: [{ type: 'vertex', digest: localDigest('ctx') }],
    });
    await bridge.return(request(gateway.ReturnRequest, { error: statusOf(error) }));
    const returned = await bridge.returned.catch((reason: unknown) => reason);
    expect(returned).to.deep.include({ message: 'it failed', grpcCode: 'NotFound', details: error.details });
  });

  it('answers who returns an error when the build is over, if there is something to do before', async () => {
    bridge = new LlbBridge(build.bridge, new Map(), { holdsFailure: true });
    const error = statusOf(new BuildError('test.failed', 'it failed'));
    const order: string[] = [];
    const answered = bridge
      .return(request(gateway.ReturnRequest, { error }))
      .then(() => void order.push('answered'));
    await bridge.returned.catch((reason: Error) => order.push(reason.message));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('over');
    await bridge[Symbol.asyncDispose]();
    await answered;
    expect(order).to.deep.equal(['it failed', 'over', 'answered']);
  });

  it('returns once, either a result or an error', async () => {
    expect(await failure(bridge.return(request(gateway.ReturnRequest, {})))).to.equal(
      'InvalidArgument: gateway return must be either result or err',
    );
    await returnResult({});
    expect(await failure(returnResult({}))).to.equal('FailedPrecondition: gateway result is already set');
  });

  it('takes a final solve for the return of an old client', async () => {
    const ExporterAttr = Buffer.from(JSON.stringify({ a: Buffer.from('b').toString('base64') }));
    const { result } = await bridge.solve(solveRequest({ Final: true, ExporterAttr }), signal);
    const returned = await bridge.returned;
    expect(returned.ref?.id).to.equal(result?.ref?.id);
    expect(returned.metadata.get('a')?.toString()).to.equal('b');
  });

  it('resolves image configs', async () => {
    const response = await bridge.resolveImageConfig(
      request(gateway.ResolveImageConfigRequest, {
        Ref: 'busybox',
        Platform: { OS: 'linux', Architecture: 'arm64', Variant: 'v8' },
        LogName: 'a row',
      }),
      signal,
    );
    expect(response).to.deep.equal({
      Ref: 'docker.io/library/busybox:latest',
      Digest: imageDigest,
      Config: Buffer.from('{}'),
    });
    expect(build.resolved[0]?.logName).to.equal('a row');
    expect(build.resolved[0]?.request.platform).to.deep.equal({ os: 'linux', architecture: 'arm64' });
  });

  it('resolves metadata of sources, without the config if that is not wanted', async () => {
    const Source = { identifier: 'docker-image://busybox', attrs: {} };
    const ask = (
      Image: Init<gateway.ResolveSourceImageRequest>,
    ): Promise<Init<gateway.ResolveSourceMetaResponse>> =>
      bridge.resolveSourceMeta(request(gateway.ResolveSourceMetaRequest, { Source, Image }), signal);
    expect((await ask({})).Image).to.deep.equal({ Digest: imageDigest, Config: Buffer.from('{}') });
    expect((await ask({ NoConfig: true })).Image).to.deep.equal({ Digest: imageDigest });
    expect(build.resolved[0]?.logName).to.equal('resolve image config for docker-image://busybox');
    const ResolveAttestations = ['sbom'];
    expect(await failure(ask({ ResolveAttestations }))).to.match(/^Unimplemented: resolving an image's att/);
  });

  it('hands warnings on', async () => {
    await bridge.warn(
      request(gateway.WarnRequest, {
        digest: localDigest('ctx'),
        short: Buffer.from('careful'),
        detail: [Buffer.from('why')],
        url: 'https://example.com',
        ranges: [{ start: { line: 2 } }],
      }),
    );
    expect(build.job.warnings).to.deep.equal([
      [
        localDigest('ctx'),
        {
          level: 1,
          short: 'careful',
          detail: ['why'],
          url: 'https://example.com',
          ranges: [{ start: { line: 2, character: 0 }, end: { line: 0, character: 0 } }],
        },
      ],
    ]);
  });

  it('answers the inputs of the build', async () => {
    const { Definitions } = await bridge.inputs();
    expect(Definitions?.base?.def).to.deep.equal(localDefinition('base').def);
  });

  it('takes attestations, with the trees they are in', async () => {
    const id = await solvedId();
    await returnResult({
      ref: { id },
      attestations: {
        'linux/amd64': {
          attestation: [
            {
              kind: gateway.AttestationKind.InToto,
              ref: { id },
              path: '/sbom.json',
              inTotoPredicateType: 'https://spdx.dev/Document',
              inTotoSubjects: [{ kind: gateway.InTotoSubjectKind.Self }],
              metadata: { reason: Buffer.from('sbom') },
            },
          ],
        },
      },
    });
    const { attestations } = await bridge.returned;
    expect(attestations?.get('linux/amd64')).to.deep.equal([
      {
        kind: 'in-toto',
        ref: build.bridge.ref(id),
        path: '/sbom.json',
        predicateType: 'https://spdx.dev/Document',
        subjects: [{ kind: 'self', name: '', digests: [] }],
        metadata: new Map([['reason', Buffer.from('sbom')]]),
      },
    ]);
  });

  it('applies the source policies of a request', async () => {
    const SourcePolicies = [{ rules: [{ action: 1, selector: { identifier: 'local://*' } }] } as const];
    expect(await failure(bridge.solve(solveRequest({ SourcePolicies }), signal))).to.contain(
      'source "local://ctx" denied by policy',
    );
  });

  it('refuses to compute other checksums of a download', async () => {
    const asked = request(gateway.ResolveSourceMetaRequest, {
      Source: { identifier: 'https://example.com/a', attrs: {} },
      HTTP: { ChecksumRequest: {} },
    });
    expect(await failure(bridge.resolveSourceMeta(asked, signal))).to.match(
      /^Unimplemented: other checksums/,
    );
  });

  it('refuses contradictions', async () => {
    expect(await failure(bridge.solve(solveRequest({ Frontend: 'x' }), signal))).to.match(
      /both Definition and Frontend/,
    );
  });
});
