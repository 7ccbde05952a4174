import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import { loadLlb } from '../../../core/llb/load.js';
import type { Edge, OpContext, Result } from '../../../core/solver/op.js';
import { sha256 } from '../../../core/util/digest.js';
import { type Init, pb } from '../../../proto/index.js';
import { opBytes } from './ops.js';
import { fakeServices, opContext } from './services.js';

describe('BuildOp', () => {
  const services = fakeServices();
  const { worker } = services;
  const source = opBytes({
    file: { actions: [{ input: -1, secondaryInput: -1, mkdir: { path: '/nested' } }] },
  });
  const nested = [source, opBytes({ inputs: [{ digest: sha256(source) }] })];
  const definition = Buffer.from(pb.Definition.encode({ def: nested }).finish()).toString('latin1');

  const vertexOf = (build: Init<pb.BuildOp>): Edge['vertex'] => {
    const op = opBytes({ inputs: [{ digest: sha256(source) }], build });
    const def = [source, op, opBytes({ inputs: [{ digest: sha256(op) }] })];
    const edge = loadLlb({ def, metadata: new Map() }, services, { entitlements: new Set() });
    if (!edge) throw new Error('nothing was loaded');
    return edge.vertex;
  };
  const llb = { builder: -1, inputs: { 'buildkit.llb.definition': { input: 0 } } };
  const run = (
    files: Readonly<Record<string, string>>,
    build: OpContext['build'],
    attrs: Readonly<Record<string, string>> = {},
  ): Promise<readonly (Result | undefined)[]> =>
    vertexOf({ ...llb, attrs }).op.exec([worker.refs.make(files)], { ...opContext(), build });

  it('solves the definition in its input', async () => {
    const built: string[] = [];
    const tree = worker.refs.make({});
    const results = await run({ 'buildkit.llb.definition': definition }, async (edge) => {
      built.push(edge.vertex.name);
      return tree;
    });
    expect(built).to.deep.equal(['mkdir /nested']);
    expect(results).to.deep.equal([tree]);
  });

  it('takes the file that the op names', async () => {
    const results = await run({ other: definition }, async () => undefined, { 'llbbuild.filename': 'other' });
    expect(results).to.deep.equal([undefined]);
  });

  it('says when the file is no definition', async () => {
    const error = await run({ 'buildkit.llb.definition': '\xff\xff' }, async () => undefined).catch(
      (e: unknown) => e,
    );
    expect(error).to.be.instanceOf(BuildError);
    expect((error as BuildError).message).to.match(/^buildkit\.llb\.definition holds no LLB definition/);
  });

  it('is refused without a definition to build', () => {
    expect(() => vertexOf({ builder: -1 })).to.throw('build.inputs.buildkit.llb.definition: missing');
    expect(() => vertexOf({ ...llb, builder: 0 })).to.throw('only the LLB builder (-1) is allowed');
  });
});
