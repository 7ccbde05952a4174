import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { PolicyAnswer, PolicyQuestion } from '../../../core/contracts/session.js';
import type { SourcePolicy, SourceRule } from '../../../core/contracts/source-policy.js';
import { sha256 } from '../../../core/util/digest.js';
import { opBytes } from '../llb/ops.js';
import { fakeBuild, imageDigest, local, localDigest } from './fakes.js';

const { signal } = new AbortController();

const rule = (action: SourceRule['action'], identifier: string, to?: string): SourceRule => ({
  action,
  selector: { identifier, match: 'wildcard', constraints: [] },
  ...(to === undefined ? {} : { update: { identifier: to, attrs: {} } }),
});
const policy = (...rules: SourceRule[]): SourcePolicy => ({ rules });
const failure = async (work: Promise<unknown>): Promise<BuildError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return error;
  throw new Error(`expected a BuildError, got ${error}`);
};

const busybox = 'docker-image://docker.io/library/busybox:latest';
const pinned = `${busybox}@${sha256('pin')}`;

describe("a build's source policies", () => {
  it('deny a definition, and say where its source stands', async () => {
    const { bridge, job } = fakeBuild({}, { policies: { policy: policy(rule('deny', 'local://*')) } });
    const error = await failure(bridge.solve({ definition: local('ctx') }, signal));
    expect(error.message).to.equal(
      'failed to load LLB: error evaluating the source policy: ' +
        'source "local://ctx" denied by policy: source denied by policy',
    );
    expect(error.details[0]).to.include({ type: 'source' });
    expect(job.built).to.deep.equal([]);
  });

  it('convert sources, digests and source maps included', async () => {
    const { bridge, job } = fakeBuild(
      {},
      { policies: { policy: policy(rule('convert', 'local://a', 'local://b')) } },
    );
    const { ref } = await bridge.solve({ definition: local('a') }, signal);
    expect(bridge.edge(ref)?.vertex.digest).to.equal(localDigest('b'));
    expect(ref?.definition).to.deep.equal(local('a'));
    job.answer = async () => {
      throw new BuildError('test.failed', 'it failed', {
        details: [{ type: 'vertex', digest: localDigest('b') }],
      });
    };
    const error = await failure(ref!.evaluate(signal));
    expect(error.details.map(({ type }) => type)).to.deep.equal(['source', 'vertex']);
  });

  it('make one step of two that come to the same', async () => {
    const sources = ['a', 'b'].map((name) => opBytes({ source: { identifier: `local://${name}` } }));
    const copy = opBytes({
      inputs: sources.map((bytes) => ({ digest: sha256(bytes) })),
      file: {
        actions: [{ input: 0, secondaryInput: 1, output: 0, copy: { src: '/', dest: '/' } }],
      },
    });
    const definition = {
      def: [...sources, copy, opBytes({ inputs: [{ digest: sha256(copy) }] })],
      metadata: new Map(),
    };
    const { bridge } = fakeBuild(
      {},
      { policies: { policy: policy(rule('convert', 'local://a', 'local://b')) } },
    );
    const { ref } = await bridge.solve({ definition }, signal);
    const inputs = bridge.edge(ref)!.vertex.inputs.map(({ vertex }) => vertex);
    expect(inputs.map(({ digest }) => digest)).to.deep.equal([localDigest('b'), localDigest('b')]);
    expect(inputs[0]).to.equal(inputs[1]);
  });

  it('apply to what frontends resolve', async () => {
    const { bridge, resolved } = fakeBuild(
      {},
      { policies: { policy: policy(rule('convert', busybox, pinned)) } },
    );
    const image = await bridge.resolveImageConfig('busybox', { resolveMode: 'pull' }, signal);
    expect(image.ref).to.equal(pinned.slice('docker-image://'.length));
    expect(resolved[0]?.request.name).to.equal(image.ref);
    const denied = bridge.resolveImageConfig(
      'busybox',
      { sourcePolicies: [policy(rule('deny', pinned))] },
      signal,
    );
    expect((await failure(denied)).message).to.equal(
      'failed to resolve source metadata for busybox: could not resolve image due to policy: ' +
        `source "${pinned}" denied by policy: source denied by policy`,
    );
  });

  it('say which image is none any more', async () => {
    const rules = policy(rule('convert', busybox, 'local://ctx'));
    const { bridge } = fakeBuild({}, { policies: { policy: rules } });
    expect((await failure(bridge.resolveImageConfig('busybox', {}, signal))).message).to.equal(
      'ref busybox resolved to non-image local://ctx',
    );
  });

  describe('of a client that decides itself', () => {
    const build = (answer: (question: PolicyQuestion) => PolicyAnswer, rules?: SourcePolicy) => {
      const questions: PolicyQuestion[] = [];
      const made = fakeBuild(
        {},
        {
          policies: { sessionId: 'session1', ...(rules ? { policy: rules } : {}) },
          client: {
            check: async (question) => {
              questions.push(question);
              return answer(question);
            },
          },
        },
      );
      return { ...made, questions };
    };

    it('let through what it allows, as other policies left it', async () => {
      const { bridge, questions } = build(
        () => ({ action: 'allow' }),
        policy(rule('convert', 'local://a', 'local://b')),
      );
      const { ref } = await bridge.solve({ definition: local('a') }, signal);
      expect(bridge.edge(ref)?.vertex.digest).to.equal(localDigest('b'));
      expect(questions).to.deep.equal([{ source: { identifier: 'local://b', attrs: {} } }]);
    });

    it('refuse what it denies, with its reasons', async () => {
      const { bridge } = build(() => ({ action: 'deny', messages: ['not signed', 'too old'] }));
      expect((await failure(bridge.solve({ definition: local('a') }, signal))).message).to.contain(
        'source "local://a" not allowed by policy: action DENY: not signed; too old',
      );
    });

    it('tell it more when it asks', async () => {
      const platform = { os: 'linux', architecture: 'arm64' };
      const { bridge, questions, job } = build(({ source, meta }) =>
        meta ? { action: 'allow' } : { ask: { source, platform, logName: 'a closer look' } },
      );
      await bridge.resolveImageConfig('busybox', { platform }, signal);
      expect(questions.map(({ meta }) => meta?.image?.digest)).to.deep.equal([undefined, imageDigest]);
      expect(questions[0]?.platform).to.deep.equal(platform);
      expect(job.steppedNames).to.deep.equal(['a closer look', '[internal] load metadata for busybox']);
    });

    it('leave out the config that it does not want', async () => {
      const { bridge, questions } = build(({ source, meta }) =>
        meta ? { action: 'allow' } : { ask: { source, noConfig: true } },
      );
      await bridge.resolveImageConfig('busybox', {}, signal);
      expect(questions[1]?.meta?.image?.config).to.have.length(0);
    });

    it('answer about no other source, and not for ever', async () => {
      const other = build(() => ({ ask: { source: { identifier: 'local://other', attrs: {} } } }));
      expect((await failure(other.bridge.solve({ definition: local('a') }, signal))).message).to.contain(
        'policy requested different source identifier: "local://other" != "local://a"',
      );
      const attrs = build(({ source }) => ({ ask: { source: { ...source, attrs: { x: 'y' } } } }));
      expect((await failure(attrs.bridge.solve({ definition: local('a') }, signal))).message).to.contain(
        'policy requested different source attrs: x',
      );
      const endless = build(({ source }) => ({ ask: { source } }));
      expect((await failure(endless.bridge.solve({ definition: local('a') }, signal))).message).to.contain(
        'too many policy requests',
      );
    });
  });
});
