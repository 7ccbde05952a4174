import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { LlbDefinition, LlbMetadata } from '../../../core/contracts/frontend.js';
import type { Source, SourceRequest } from '../../../core/contracts/source.js';
import { loadLlb } from '../../../core/llb/load.js';
import type { Edge } from '../../../core/solver/op.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import type { Platform } from '../../../core/util/platform.js';
import type { Init, pb } from '../../../proto/index.js';
import { FakeWorker } from '../../support/fake-worker.js';
import { opBytes, rootMount } from './ops.js';
import { fakeServices } from './services.js';

const opened: SourceRequest[] = [];
const source: Source = {
  open: (request) => {
    opened.push(request);
    return { cacheKey: async () => ({ key: 'k', done: true }), fetch: async () => undefined };
  },
};
const linux = (architecture: string): Platform => ({ os: 'linux', architecture });
const workers = [
  new FakeWorker('one', {}, [linux('amd64')]),
  new FakeWorker('two', { fast: 'yes' }, [linux('amd64'), linux('riscv64'), linux('arm64')]),
] as const;
const services = fakeServices({ sources: { local: source, 'docker-image': source }, workers });

interface Node {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly input: Init<pb.Input>;
}
const node = (op: Init<pb.Op>): Node => {
  const bytes = opBytes(op);
  const digest = sha256(bytes);
  return { bytes, digest, input: { digest } };
};
const define = (
  nodes: readonly Node[],
  metadata: Readonly<Record<Digest, Partial<LlbMetadata>>> = {},
): LlbDefinition => ({
  def: nodes.map(({ bytes }) => bytes),
  metadata: new Map(
    Object.entries(metadata).map(([digest, value]) => [
      digest as Digest,
      { ignoreCache: false, description: {}, caps: [], ...value },
    ]),
  ),
});
/** A definition whose result is the last node's first output. */
const resultOf = (
  nodes: readonly Node[],
  metadata: Readonly<Record<Digest, Partial<LlbMetadata>>> = {},
): LlbDefinition => define([...nodes, node({ inputs: [nodes.at(-1)!.input] })], metadata);

const load = (definition: LlbDefinition, ...entitlements: string[]): Edge | undefined =>
  loadLlb(definition, services, { entitlements: new Set(entitlements) });
const errorOf = (definition: LlbDefinition): BuildError => {
  try {
    load(definition);
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it was loaded');
};

const context = node({ source: { identifier: 'local://context', attrs: { 'local.unique': 'u' } } });
const run = (exec: Init<pb.ExecOp> = {}, op: Init<pb.Op> = {}): Node =>
  node({
    inputs: [context.input],
    exec: { meta: { args: ['make', 'all'], cwd: '/' }, mounts: [rootMount], ...exec },
    ...op,
  });

describe('loadLlb', () => {
  it('loads a definition of BuildKit under its digests (wire facts G8)', () => {
    const hex = [
      '5a001a430a0b6c6f63616c3a2f2f63747812210a146c6f63616c2e696e636c7564657061747465726e12095b22612e747874225d12110a0c6c6f63616c2e756e69717565120175',
      '0a490a477368613235363a383935633663336365623139393161613839303238303065346662373235643561386365353233343265393864666336623039656233313839383566363663365a002232123008ffffffffffffffffff0122230a062f612e74787412032f782f20ffffffffffffffffff0158ffffffffffffffffff01',
      '0a490a477368613235363a35383133663365313837393830323635353836666333663937363831356365323366323032366163353537316262346432353066636131373735306137633664',
    ];
    const edge = load({ def: hex.map((text) => Buffer.from(text, 'hex')), metadata: new Map() });
    expect(edge?.vertex).to.include({
      digest: 'sha256:5813f3e187980265586fc3f976815ce23f2026ac5571bb4d250fca17750a7c6d',
      name: 'copy /a.txt /x/',
    });
    expect(edge?.vertex.inputs[0]?.vertex).to.include({
      digest: 'sha256:895c6c3ceb1991aa8902800e4fb725d5a8ce52342e98dfc6b09eb318985f66c6',
      name: 'local://ctx',
    });
  });

  it('gives every op one vertex, however many use it', () => {
    const both = node({
      inputs: [run().input, context.input],
      file: {
        actions: [{ input: 0, secondaryInput: 1, output: 0, copy: { src: '/', dest: '/' } }],
      },
    });
    const edge = load(resultOf([context, run(), both]));
    const [first, second] = edge!.vertex.inputs;
    expect(first?.vertex.inputs[0]?.vertex).to.equal(second?.vertex);
  });

  it('takes names, groups and cache settings from the metadata', () => {
    const progressGroup = { id: 'g', name: 'group', weak: true };
    const metadata = {
      [run().digest]: {
        description: { 'llb.customname': 'RUN make' },
        ignoreCache: true,
        exportCache: false,
        progressGroup,
      },
    };
    expect(load(resultOf([context, run()], metadata))?.vertex).to.deep.include({
      name: 'RUN make',
      ignoreCache: true,
      exportCache: false,
      progressGroup,
      outputs: 1,
    });
    expect(load(resultOf([context, run()]))?.vertex.name).to.equal('make all');
  });

  it('normalises the platform for sources', () => {
    const arm = node({
      source: { identifier: 'local://x' },
      platform: { OS: 'Linux', Architecture: 'aarch64', Variant: 'v8' },
    });
    opened.length = 0;
    load(resultOf([arm]));
    expect(opened).to.deep.equal([
      { scheme: 'local', name: 'x', attrs: {}, platform: { os: 'linux', architecture: 'arm64' } },
    ]);
  });

  it('answers nothing for scratch', () => {
    expect(load(define([]))).to.equal(undefined);
    expect(load(define([node({})]))).to.equal(undefined);
  });

  it('loads a chain of 20,000 ops', () => {
    const nodes = [context];
    for (let i = 0; i < 20_000; i++) {
      nodes.push(
        node({
          inputs: [nodes.at(-1)!.input],
          file: { actions: [{ input: 0, secondaryInput: -1, output: 0, mkdir: { path: `/${i}` } }] },
        }),
      );
    }
    expect(load(resultOf(nodes))?.vertex.name).to.equal('mkdir /19999');
  }).timeout(20_000);

  const workerOf = (op: Init<pb.Op>): string | undefined =>
    load(resultOf([context, run({}, op)]))?.vertex.description.worker;

  it('runs steps on the first worker that their constraints allow', () => {
    const on = (...filter: string[]): string | undefined => workerOf({ constraints: { filter } });
    expect(on()).to.equal('one');
    expect(on('id==one')).to.equal('one');
    expect(on('labels.fast==yes')).to.equal('two');
    expect(on('labels.fast==yes', 'id==one')).to.equal('one');
    const nowhere = errorOf(
      resultOf([context, run({}, { constraints: { filter: ['labels.fast==never'] } })]),
    );
    expect(nowhere).to.include({ code: 'worker.no-match', grpcCode: 'FailedPrecondition' });
    expect(nowhere.message).to.contain("no worker matches the op's constraints labels.fast==never");
    expect(nowhere.hint).to.contain('two (fast=yes)');
  });

  it('runs steps on the first worker that runs their platform, within their constraints', () => {
    const on = (Architecture: string, Variant = '', ...filter: string[]): string | undefined =>
      workerOf({ platform: { OS: 'linux', Architecture, Variant }, constraints: { filter } });
    expect(on('amd64')).to.equal('one');
    expect(on('386')).to.equal('one');
    expect(on('riscv64')).to.equal('two');
    expect(on('arm', 'v6')).to.equal('two');
    expect(on('riscv64', '', 'id==one')).to.equal('one');
    // Nobody runs it: the step says so when it fails, as where there is one worker.
    expect(on('s390x')).to.equal('one');
  });

  it('names op and step of what it refuses', () => {
    const bad = run({ mounts: [] });
    const error = errorOf(resultOf([context, bad]));
    expect(error.message).to.equal(`failed to load LLB: op ${bad.digest}: exec.mounts: missing`);
    expect(error).to.include({ code: 'llb.invalid', grpcCode: 'InvalidArgument' });
    expect(error.details).to.deep.equal([{ type: 'vertex', digest: bad.digest }]);
  });

  const malformed: readonly [problem: string, definition: LlbDefinition][] = [
    ['failed to parse', define([{ ...context, bytes: Buffer.from('ffff', 'hex') }, node({})])],
    ['must only point at the result', define([context])],
    ['is not in the definition', define([node({ inputs: [context.input] })])],
    ['the last op points at no result', define([context, node({})])],
    ['output 3 of op', define([context, node({ inputs: [{ digest: context.digest, index: 3 }] })])],
    ['inputs[0].digest: "x" is not a digest', define([node({ inputs: [{ digest: 'x' }] })])],
    ['source.identifier', resultOf([node({ source: { identifier: 'context' } })])],
    [
      'no source is called "locl" (did you mean "local"?)',
      resultOf([node({ source: { identifier: 'locl://x' } })]),
    ],
    [
      'exec.meta: missing',
      resultOf([context, node({ inputs: [context.input], exec: { mounts: [rootMount] } })]),
    ],
    ['exec.meta.args: missing', resultOf([context, run({ meta: { cwd: '/' } })])],
    ['none of them is the root', resultOf([context, run({ mounts: [{ dest: '/a', output: 0 }] })])],
    [
      'exec.mounts[0].input: index 1 is out of range',
      resultOf([context, run({ mounts: [{ ...rootMount, input: 1 }] })]),
    ],
    [
      'the root cannot be a tmpfs mount',
      resultOf([context, run({ mounts: [{ ...rootMount, mountType: 4 }] })]),
    ],
    ['exec.mounts: missing output 0', resultOf([context, run({ mounts: [{ ...rootMount, output: 1 }] })])],
    ['exec.mounts: duplicate output 0', resultOf([context, run({ mounts: [rootMount, { dest: '/a' }] })])],
    [
      'exec.mounts[1].cacheOpt: missing',
      resultOf([context, run({ mounts: [rootMount, { dest: '/a', output: -1, mountType: 3 }] })]),
    ],
    [
      'exec.mounts[1].secretOpt.ID: must not be empty',
      resultOf([
        context,
        run({ mounts: [rootMount, { dest: '/a', output: -1, mountType: 1, secretOpt: {} }] }),
      ]),
    ],
    ['exec.network: unknown value 7', resultOf([context, run({ network: 7 as 0 })])],
    [
      '"nope" is not an address',
      resultOf([context, run({ meta: { args: ['x'], extraHosts: [{ Host: 'h', IP: 'nope' }] } })]),
    ],
    ['file.actions: missing', resultOf([node({ file: {} })])],
    [
      'it holds no action that is known',
      resultOf([node({ file: { actions: [{ input: -1, secondaryInput: -1 }] } })]),
    ],
    [
      'none of them has an output',
      resultOf([
        node({ file: { actions: [{ input: -1, secondaryInput: -1, output: -1, mkdir: { path: '/a' } }] } }),
      ]),
    ],
    [
      'file.actions[0].input: index 0 is out of range',
      resultOf([node({ file: { actions: [{ input: 0, secondaryInput: -1, mkdir: { path: '/a' } }] } })]),
    ],
    [
      'invalid user index -1',
      resultOf([
        node({
          file: {
            actions: [
              {
                input: -1,
                secondaryInput: -1,
                mkdir: { path: '/a', owner: { user: { byName: { name: 'u', input: -1 } } } },
              },
            ],
          },
        }),
      ]),
    ],
    ['diff.lower: missing', resultOf([node({ diff: { upper: { input: -1 } } })])],
    ['merge.inputs[0]: index 1 is out of range', resultOf([node({ merge: { inputs: [{ input: 1 }] } })])],
    ['passthrough.id: must not be empty', resultOf([node({ passthrough: { outputs: [0] } })])],
    ['passthrough.outputs: missing', resultOf([node({ passthrough: { id: 'x' } })])],
    ['passthrough.outputs[0]: names no input', resultOf([node({ passthrough: { id: 'x', outputs: [-1] } })])],
    ['unknown API capability file.bsae', resultOf([context], { [context.digest]: { caps: ['file.bsae'] } })],
  ];
  for (const [problem, definition] of malformed) {
    it(`refuses: ${problem}`, () => expect(errorOf(definition).message).to.contain(problem));
  }

  it('accepts every capability that is known, the misspelt one too', () => {
    const caps = ['soruce.http.uidgid', 'mergeop', 'exec.mount.ssh'];
    expect(load(resultOf([context], { [context.digest]: { caps } }))).to.be.an('object');
  });

  it('wants the devices of a step to be there', () => {
    const { message } = errorOf(resultOf([context, run({ cdiDevices: [{ name: 'gpu' }] })]));
    expect(message).to.contain('the device gpu is asked for, but devices are switched off');
  });

  for (const [entitlement, exec] of [
    ['network.host', { network: 1 }],
    ['security.insecure', { security: 1 }],
  ] as const) {
    it(`wants ${entitlement} granted`, () => {
      const definition = resultOf([context, run(exec)]);
      expect(errorOf(definition)).to.include({
        code: 'llb.entitlement',
        message: `failed to load LLB: ${entitlement} is not allowed`,
        grpcCode: 'Unknown',
      });
      expect(load(definition, entitlement)).to.be.an('object');
    });
  }
});
