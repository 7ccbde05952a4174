import { expect } from 'chai';
import { local, marshal, mkfile, scratch } from '../../../client/llb/index.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { FrontendResult, LlbDefinition } from '../../../core/contracts/frontend.js';
import { sha256 } from '../../../core/util/digest.js';
import { DockerfileFrontend } from '../../../plugins/frontends/dockerfile/frontend.js';
import { pb } from '../../../proto/index.js';
import { FakeGateway, type Files, stepsOf } from './support/fake-gateway.js';

interface Build {
  readonly result: FrontendResult;
  readonly gateway: FakeGateway;
}

async function build(
  dockerfile: Files | string,
  opts: Readonly<Record<string, string>> = {},
  more: {
    readonly locals?: Readonly<Record<string, Files>>;
    readonly inputs?: ReadonlyMap<string, LlbDefinition>;
  } = {},
): Promise<Build> {
  const files = typeof dockerfile === 'string' ? { Dockerfile: dockerfile } : dockerfile;
  const gateway = new FakeGateway({ dockerfile: files, ...more.locals });
  const request = { opts, inputs: more.inputs ?? new Map() };
  const result = await new DockerfileFrontend().solve(gateway, request, new AbortController().signal);
  return { result, gateway };
}

async function failure(...args: Parameters<typeof build>): Promise<BuildError> {
  try {
    await build(...args);
  } catch (error) {
    return BuildError.from(error);
  }
  throw new Error('the build did not fail');
}

const last = ({ gateway }: Build): LlbDefinition => gateway.solved.at(-1)!;
const names = (build: Build): (string | undefined)[] => stepsOf(last(build)).map(({ name }) => name);
const contextAttrs = (build: Build): Record<string, string> | undefined =>
  stepsOf(last(build)).find(({ op }) => op.source?.identifier === 'local://context')?.op.source?.attrs;
const metadata = ({ result }: Build, key: string): unknown => {
  const value = result.metadata.get(key);
  return value && JSON.parse(Buffer.from(value).toString());
};

describe('dockerfile frontend', () => {
  it('reads the Dockerfile and its own ignore file in one source', async () => {
    const { gateway } = await build('FROM scratch\nCOPY a /');
    const [step] = stepsOf(gateway.solved[0]!);
    expect(step?.name).to.equal('[internal] load build definition from Dockerfile');
    expect(step?.op.source).to.deep.include({ identifier: 'local://dockerfile' });
    expect(step?.op.source?.attrs).to.deep.equal({
      'local.session': 'session',
      'local.followpaths': '["Dockerfile","Dockerfile.dockerignore","dockerfile"]',
      'local.sharedkeyhint': 'dockerfile',
      'local.differ': 'none',
    });
  });

  it('takes a lower-case dockerfile, and other names, from other sources', async () => {
    expect(names(await build({ dockerfile: 'FROM scratch\nCOPY a /' }))).to.include('[1/1] COPY a /');
    const other = await build(
      {},
      { filename: 'x/My', dockerfilekey: 'df' },
      { locals: { df: { 'x/My': 'FROM a' } } },
    );
    expect(names(other)[0]).to.match(/FROM docker.io\/library\/a:latest@sha256/);
  });

  it('says which file is missing', async () => {
    const error = await failure({});
    expect(error.message).to.equal('failed to read dockerfile: open Dockerfile: no such file or directory');
  });

  it('asks for the context without ignored files, and only for what is copied', async () => {
    const locals = { context: { '.dockerignore': '# no\nnode_modules\n!node_modules/keep\n' } };
    const attrs = contextAttrs(await build('FROM scratch\nCOPY b/x a* /', {}, { locals }));
    expect(attrs).to.deep.equal({
      'local.session': 'session',
      'local.followpaths': '["a*","b/x"]',
      'local.excludepatterns': '["node_modules","!node_modules/keep"]',
      'local.sharedkeyhint': 'context',
    });
  });

  it('asks for the whole context when all of it is copied', async () => {
    expect(contextAttrs(await build('FROM scratch\nCOPY . /'))).not.to.have.property('local.followpaths');
  });

  it('prefers the ignore file beside the Dockerfile', async () => {
    const files = { Dockerfile: 'FROM scratch\nCOPY . /', 'Dockerfile.dockerignore': 'own' };
    const built = await build(files, {}, { locals: { context: { '.dockerignore': 'other' } } });
    expect(contextAttrs(built)?.['local.excludepatterns']).to.equal('["own"]');
    expect(built.gateway.solved).to.have.length(2);
  });

  it('answers the image config, and the platforms', async () => {
    const built = await build('FROM a\nENV X=1');
    expect(metadata(built, 'containerimage.config')).to.have.nested.property('config.Env[1]', 'X=1');
    expect(metadata(built, 'containerimage.base.config')).to.have.property('architecture', 'amd64');
    expect(metadata(built, 'refs.platforms')).to.deep.equal({
      Platforms: [{ ID: 'linux/amd64', Platform: { architecture: 'amd64', os: 'linux' } }],
    });
  });

  it('answers a tree for each platform, and resolves each base once', async () => {
    const built = await build('FROM a AS x\nFROM a\nCOPY --from=x /f /', {
      platform: 'linux/amd64,linux/arm64',
    });
    expect([...(built.result.refs?.keys() ?? [])]).to.deep.equal(['linux/amd64', 'linux/arm64']);
    expect(built.gateway.resolved.map(({ options }) => options.logName)).to.deep.equal([
      '[linux/amd64 internal] load metadata for docker.io/library/a:latest',
      '[linux/arm64 internal] load metadata for docker.io/library/a:latest',
    ]);
    expect([...built.result.metadata.keys()]).to.include('containerimage.config/linux/arm64');
  });

  it('marks the stages that must not come from the cache', async () => {
    const text = 'FROM a AS x\nRUN one\nFROM x AS y\nRUN two';
    const fresh = async (noCache: string): Promise<boolean[]> =>
      stepsOf(last(await build(text, { 'no-cache': noCache })))
        .filter(({ op }) => op.exec)
        .map(({ ignoreCache }) => ignoreCache);
    expect(await fresh('')).to.deep.equal([true, true]);
    expect(await fresh('Y')).to.deep.equal([false, true]);
  });

  it('puts the file behind errors, with the lines', async () => {
    const error = await failure('FROM a\n\nRUNN x\n');
    expect(error.message).to.equal(
      'dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)',
    );
    const [source] = error.details;
    expect(source).to.have.property('type', 'source');
    if (source?.type !== 'source') return;
    expect(source.ranges).to.deep.equal([
      { start: { line: 3, character: 0 }, end: { line: 3, character: 4 } },
    ]);
    expect(source.info).to.include({ filename: 'Dockerfile', language: 'Dockerfile' });
    expect(Buffer.from(source.info!.data).toString()).to.equal('FROM a\n\nRUNN x\n');
    expect(pb.Definition.decode(source.info!.definition!).def).to.have.length(2);
  });

  it('points at the word that is wrong', async () => {
    const rangesOf = async (text: string): Promise<unknown> => {
      const source = (await failure(`FROM a\n${text}\n`)).details.find(({ type }) => type === 'source');
      return (
        source?.type === 'source' &&
        source.ranges.map(({ start, end }) => [start.line, start.character, end.character])
      );
    };
    expect(await rangesOf('  COPPY a b')).to.deep.equal([[2, 2, 7]]);
    expect(await rangesOf('COPY --chwon=1 a b')).to.deep.equal([[2, 5, 12]]);
    expect(await rangesOf('RUN --mount=type=bind,taget=/x \\\n  y')).to.deep.equal([
      [2, 22, 30],
      [3, 0, 0],
    ]);
    expect(await rangesOf('COPY a')).to.deep.equal([[2, 0, 0]]);
  });

  it('stands in for docker/dockerfile by tag', async () => {
    for (const syntax of ['docker/dockerfile:1', 'docker.io/docker/dockerfile:1.7-labs', 'dockerfile.v0']) {
      expect(names(await build(`# syntax=${syntax}\nFROM a\nRUN x`))).to.include('[2/2] RUN x');
    }
    const built = await build('# syntax=other\nFROM a', { 'build-arg:BUILDKIT_SYNTAX': 'docker/dockerfile' });
    expect(built.gateway.requests.every((request) => 'definition' in request)).to.equal(true);
  });

  it('hands the build to other frontends, with all that it was given', async () => {
    const inputs = new Map([['x', marshal(scratch())]]);
    const opts = { target: 't', 'frontend.caps': 'cap.x+forward', requestid: 'frontend.outline' };
    const { gateway } = await build('# syntax = example.com/f:1 arg\nFROM a', opts, { inputs });
    expect(gateway.requests.at(-1)).to.deep.equal({
      frontend: 'gateway.v0',
      opts: { ...opts, cmdline: 'example.com/f:1 arg', source: 'example.com/f:1' },
      inputs,
    });
    const pinned = await build('FROM a', { 'build-arg:BUILDKIT_SYNTAX': `docker/dockerfile@${sha256('x')}` });
    expect(pinned.gateway.requests.at(-1)).to.have.property('frontend', 'gateway.v0');
  });

  it('reports a frontend that does not run at the line that names it', async () => {
    const gateway = new FakeGateway({
      dockerfile: { Dockerfile: '# escape=`\n# syntax=example.com/f\nFROM a' },
    });
    const solve = gateway.solve.bind(gateway);
    gateway.solve = async (request) => {
      if ('frontend' in request) throw new Error('no such image');
      return solve(request);
    };
    const request = { opts: {}, inputs: new Map() };
    const error = await new DockerfileFrontend()
      .solve(gateway, request, new AbortController().signal)
      .then(() => undefined, BuildError.from);
    expect(error?.message).to.equal('no such image');
    expect(error?.details).to.have.nested.property('[0].ranges[0].start.line', 2);
  });

  it('refuses what it lacks with typed errors', async () => {
    const cap = await failure('FROM a', { 'frontend.caps': 'moby.buildkit.frontend.inputs,cap.x+forward' });
    expect(cap.details).to.deep.equal([{ type: 'frontend-cap', name: 'cap.x' }]);
    expect(cap.grpcCode).to.equal('Unimplemented');
    const request = await failure('FROM a', { requestid: 'frontend.nope' });
    expect(request.details).to.deep.equal([{ type: 'subrequest', name: 'frontend.nope' }]);
  });

  it('starts stages from images that the client names', async () => {
    const built = await build('FROM base', { 'context:base': 'docker-image://other:1' });
    expect(built.gateway.resolved[0]).to.have.nested.property(
      'options.logName',
      '[context base] load metadata for other:1',
    );
    expect(names(built)).to.deep.equal(['[context base] other:1']);
    const platform = await build('FROM base', {
      'context:base::linux/amd64': 'docker-image://x',
      'context:base': 'y:z',
    });
    expect(names(platform)).to.deep.equal(['[context base::linux/amd64] x']);
  });

  it('copies from directories that the client names, only what is needed', async () => {
    const built = await build(
      'FROM scratch\nCOPY --from=assets logo.svg /\nCOPY --from=assets css /',
      { 'context:assets': 'local:assets', 'local-sessionid:assets': 'other' },
      { locals: { assets: { '.dockerignore': '*.tmp' } } },
    );
    const sources = stepsOf(last(built)).filter(({ op }) => op.source?.identifier === 'local://assets');
    expect(sources.map(({ name }) => name)).to.deep.equal(Array(2).fill('[context assets] load from client'));
    expect(sources.map(({ op }) => op.source?.attrs)).to.deep.equal(
      ['logo.svg', 'css'].map((path) => ({
        'local.session': 'other',
        'local.excludepatterns': '["*.tmp"]',
        'local.followpaths': JSON.stringify([path]),
        'local.sharedkeyhint': 'context:assets',
      })),
    );
  });

  it('takes contexts from definitions', async () => {
    const input = marshal(scratch().file(mkfile('/f', 0o644, 'x')));
    const inputs = new Map([['made', input]]);
    const built = await build(
      'FROM scratch\nCOPY --from=ctx /f /',
      { 'context:ctx': 'input:made' },
      { inputs },
    );
    expect(stepsOf(last(built))[0]?.op.file?.actions[0]?.mkfile?.path).to.equal('/f');
    const main = await build(
      'FROM scratch\nCOPY a /',
      {},
      { inputs: new Map([['context', marshal(local('z'))]]) },
    );
    expect(stepsOf(last(main))[0]?.op.source?.identifier).to.equal('local://z');
  });

  it('replaces a stage by a context of its name', async () => {
    const text = 'FROM a AS dep\nRUN never\nFROM scratch\nCOPY --from=dep /x /';
    expect(names(await build(text, { 'context:dep': 'docker-image://b' })).join('\n')).not.to.contain(
      'never',
    );
  });

  it('asks for nothing that only a replaced stage needs', async () => {
    const text =
      'FROM a AS deep\nFROM deep AS dep\nCOPY --from=tools /t /t\nRUN --mount=from=more,target=/m x\n' +
      'FROM scratch\nCOPY --from=dep /x /';
    const { gateway } = await build(text, { 'context:dep': 'docker-image://b' });
    expect(gateway.resolved.map(({ ref }) => ref)).to.deep.equal(['docker.io/library/b:latest']);
  });

  it('hands on the config of the base as it was, and its own without a time', async () => {
    const created = '2024-01-02T03:04:05Z';
    const config = {
      os: 'linux',
      architecture: 'amd64',
      created,
      rootfs: { type: 'layers', diff_ids: ['x'] },
    };
    const gateway = new FakeGateway({ dockerfile: { Dockerfile: 'FROM a' } }, { images: { '*': config } });
    const request = { opts: {}, inputs: new Map() };
    const result = await new DockerfileFrontend().solve(gateway, request, new AbortController().signal);
    expect(metadata({ gateway, result }, 'containerimage.base.config')).to.have.property('created', created);
    expect(metadata({ gateway, result }, 'containerimage.config')).not.to.have.property('created');
  });

  it('asks for the value of an argument without which a base has no name', async () => {
    expect(await failure('ARG VERSION\nFROM alpine:${VERSION}')).to.have.property(
      'hint',
      'does VERSION have a value? Its ARG may give a default, the client build-arg:VERSION',
    );
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    controller.abort();
    const gateway = new FakeGateway({ dockerfile: { Dockerfile: 'FROM a' } });
    gateway.solve = async () => {
      controller.signal.throwIfAborted();
      throw new Error('not reached');
    };
    const solving = new DockerfileFrontend().solve(
      gateway,
      { opts: {}, inputs: new Map() },
      controller.signal,
    );
    const error = await solving.then(undefined, BuildError.from);
    expect(error).to.have.property('code', 'canceled');
  });
});
