import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { Frontend } from '../../../core/contracts/frontend.js';
import { deferred } from '../../../core/util/deferred.js';
import { type FakeBuild, fakeBuild, imageDigest, local, localDigest } from './fakes.js';

const signal = new AbortController().signal;
const failure = async (work: Promise<unknown>): Promise<BuildError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return error;
  throw new Error(`expected a BuildError, got ${error}`);
};

describe('Bridge', () => {
  let build: FakeBuild;

  beforeEach(() => {
    build = fakeBuild();
    build.job.answer = async () => build.services.worker.refs.make({ '/a': 'hello' }, 'tree');
  });

  it('solves a definition when its ref is first read, and once', async () => {
    const { ref } = await build.bridge.solve({ definition: local('ctx') }, signal);
    expect(build.job.built).to.deep.equal([]);
    const range = { offset: 1, length: 3 };
    expect(Buffer.from((await ref?.readFile('/a', range, signal)) ?? []).toString()).to.equal('ell');
    expect(await ref?.statFile('/a', signal)).to.include({ path: '/a', size: 5 });
    expect(await ref?.readDir('/', undefined, signal)).to.have.length(1);
    expect(build.job.built.map(({ name }) => name)).to.deep.equal(['local://ctx']);
  });

  it('solves at once when asked to', async () => {
    await build.bridge.solve({ definition: local('ctx'), evaluate: true }, signal);
    expect(build.job.built).to.have.length(1);
  });

  it('answers no ref for scratch', async () => {
    const result = await build.bridge.solve({ definition: { def: [], metadata: new Map() } }, signal);
    expect(result).to.deep.equal({ ref: undefined, metadata: new Map() });
    expect(await build.bridge.resolve(result.ref, signal)).to.equal(undefined);
  });

  it('reads a step that came out empty as an empty tree', async () => {
    build.job.answer = async () => undefined;
    const { ref } = await build.bridge.solve({ definition: local('ctx') }, signal);
    expect(await ref?.readDir('.', undefined, signal)).to.deep.equal([]);
    const error = await failure(ref!.readFile('Dockerfile', {}, signal));
    expect(error).to.include({ grpcCode: 'NotFound', message: 'Dockerfile: no such file or directory' });
  });

  it('stops the solve when nobody waits for it any more', async () => {
    const running = deferred<undefined>();
    build.job.answer = () => running.promise;
    const { ref } = await build.bridge.solve({ definition: local('ctx') }, signal);
    const abort = new AbortController();
    const waiting = ref!.evaluate(abort.signal).catch((error: Error) => error.name);
    await Promise.resolve();
    abort.abort();
    expect(await waiting).to.equal('BuildError');
    expect(build.job.built[0]?.signal.aborted).to.equal(true);
    running.resolve(undefined);
  });

  it('keeps trees until it is disposed, and no longer', async () => {
    const { ref } = await build.bridge.solve({ definition: local('ctx') }, signal);
    await build.bridge.resolve(ref, signal);
    expect(build.services.worker.refs.live).to.equal(1);
    await build.bridge[Symbol.asyncDispose]();
    expect(build.services.worker.refs.live).to.equal(0);
    expect((await failure(build.bridge.resolve(ref, signal))).code).to.equal('gateway.foreign-ref');
  });

  it('knows the step behind a ref', async () => {
    const { ref } = await build.bridge.solve({ definition: local('ctx') }, signal);
    expect(build.bridge.edge(ref)?.vertex.digest).to.equal(localDigest('ctx'));
    expect(build.bridge.edge(undefined)).to.equal(undefined);
  });

  it('says where in the input a failed step stands', async () => {
    build.job.answer = async () => {
      throw new BuildError('test.failed', 'it failed', {
        details: [{ type: 'vertex', digest: localDigest('ctx') }],
      });
    };
    const { ref } = await build.bridge.solve({ definition: local('ctx') }, signal);
    const error = await failure(ref!.evaluate(signal));
    expect(error.message).to.equal('it failed');
    expect(error.details).to.deep.equal([
      {
        type: 'source',
        info: { filename: 'Dockerfile', data: Buffer.from('FROM x'), language: 'Dockerfile' },
        ranges: [{ start: { line: 3, character: 0 }, end: { line: 3, character: 5 } }],
      },
      { type: 'vertex', digest: localDigest('ctx') },
    ]);
  });

  it('lets the frontend explain a failure, which it hands on with all that is known', async () => {
    build.job.answer = async () => {
      throw new BuildError('test.failed', 'it failed');
    };
    const explain = async (error: BuildError): Promise<BuildError> => error.wrap('as the frontend knows');
    const { ref } = await build.bridge.solve({ definition: local('ctx'), explain }, signal);
    expect((await failure(ref!.evaluate(signal))).message).to.equal('as the frontend knows: it failed');
  });

  it('hands nested frontends itself', async () => {
    const inner: Frontend = {
      solve: async (gateway, { opts, inputs }) => ({
        ...(await gateway.solve({ definition: local(opts.name ?? '') }, signal)),
        metadata: new Map([['inputs', Buffer.from([...inputs.keys()].join())]]),
      }),
    };
    build = fakeBuild({ inner });
    const result = await build.bridge.solve(
      { frontend: 'inner', opts: { name: 'x' }, inputs: new Map([['in', local('y')]]), evaluate: true },
      signal,
    );
    expect(build.job.built.map(({ name }) => name)).to.deep.equal(['local://x']);
    expect(result.metadata.get('inputs')?.toString()).to.equal('in');
    const error = await failure(build.bridge.solve({ frontend: 'iner', opts: {} }, signal));
    expect(error.message).to.equal('no frontend is called "iner" (did you mean "inner"?)');
  });

  it('refuses cache imports that nobody would look into', async () => {
    const error = await failure(
      build.bridge.solve(
        { definition: local('ctx'), cacheImports: [{ type: 'registry', attrs: {} }] },
        signal,
      ),
    );
    expect(error.grpcCode).to.equal('Unimplemented');
  });

  it('resolves images under the usual row', async () => {
    const resolved = await build.bridge.resolveImageConfig('busybox', { resolveMode: 'pull' }, signal);
    expect(resolved).to.deep.equal({
      ref: 'docker.io/library/busybox:latest',
      digest: imageDigest,
      config: Buffer.from('{}'),
    });
    expect(build.job.steppedNames).to.deep.equal(['[internal] load metadata for busybox']);
    expect(build.resolved[0]?.request.attrs).to.deep.equal({ 'image.resolvemode': 'pull' });
  });

  it('says of which image it could not learn anything', async () => {
    const unknown = build.bridge.resolveImageConfig('missing', {}, signal);
    expect((await failure(unknown)).message).to.equal(
      'failed to resolve source metadata for missing: missing: not found',
    );
  });

  it('answers nothing about sources that have no metadata', async () => {
    const source = { identifier: 'local://ctx', attrs: {} };
    expect(await build.bridge.resolveSource({ source }, signal)).to.deep.equal({
      source,
      meta: { identifier: 'local://ctx' },
    });
  });
});
