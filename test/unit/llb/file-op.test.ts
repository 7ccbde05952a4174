import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import { FileOp } from '../../../core/llb/ops/file.js';
import type { Init, pb } from '../../../proto/index.js';
import { FakeWorker } from '../../support/fake-worker.js';
import { body, opBytes } from './ops.js';
import { loadNested, opContext } from './services.js';

describe('FileOp', () => {
  let worker: FakeWorker;
  let base: ImmutableRef;
  let source: ImmutableRef;

  beforeEach(() => {
    worker = new FakeWorker();
    base = worker.refs.make({ '/base': '' }, 'base');
    source = worker.refs.make({ '/source': '' }, 'source');
    worker.apply = (target, action) => {
      if (action.kind === 'mkdir') worker.refs.tree(target).set(action.path, '');
    };
  });

  const mkdir = (
    path: string,
    input: number,
    output = -1,
    more: Init<pb.FileActionMkDir> = {},
  ): Init<pb.FileAction> => ({
    input,
    secondaryInput: -1,
    output,
    mkdir: { path, timestamp: -1, ...more },
  });
  const run = async (...actions: Init<pb.FileAction>[]): Promise<readonly ImmutableRef[]> => {
    const op: Init<pb.Op> = { file: { actions } };
    const metadata = { ignoreCache: false, description: {}, caps: [] };
    const platform = worker.profile.platforms[0]!;
    const setting = {
      name: 'step',
      bytes: opBytes(op),
      metadata,
      inputCount: 2,
      platform,
      worker,
      loadNested,
    };
    return (await new FileOp(body('file', op, 2), setting).exec(
      [base, source],
      opContext(),
    )) as ImmutableRef[];
  };
  const paths = (ref: ImmutableRef | undefined): string[] => [...worker.refs.tree(ref).keys()];

  it('writes a chain of actions into one layer', async () => {
    const [result] = await run(mkdir('/a', 0), mkdir('/b', 2), mkdir('/c', 3, 0));
    expect(paths(result)).to.deep.equal(['/base', '/a', '/b', '/c']);
    expect(worker.refs.created).to.have.length(1);
    expect(worker.refs.created[0]).to.deep.include({ parent: 'base', options: { description: 'step' } });
  });

  it('starts from scratch', async () => {
    const [result] = await run(mkdir('/a', -1, 0));
    expect(paths(result)).to.deep.equal(['/a']);
  });

  it('branches where a tree is used twice', async () => {
    const results = await run(mkdir('/a', 0), mkdir('/b', 2, 1), mkdir('/c', 2, 0));
    expect(results.map(paths)).to.deep.equal([
      ['/base', '/a', '/c'],
      ['/base', '/a', '/b'],
    ]);
    expect(worker.refs.created.map(({ parent }) => parent)).to.deep.equal([
      'base',
      worker.refs.created[0]?.id,
      worker.refs.created[0]?.id,
    ]);
  });

  it('goes on from an output without changing it', async () => {
    const results = await run(mkdir('/a', 0, 0), mkdir('/b', 2, 1));
    expect(results.map(paths)).to.deep.equal([
      ['/base', '/a'],
      ['/base', '/a', '/b'],
    ]);
  });

  it('hands actions that follow each other on one tree over together', async () => {
    await run(mkdir('/a', 0), mkdir('/b', 2), mkdir('/c', 3, 0), mkdir('/d', 4, 1));
    expect(worker.batches).to.deep.equal([3, 1]);
  });

  it('skips actions that no output needs', async () => {
    await run(mkdir('/unused', 0), mkdir('/a', 0, 0));
    expect(worker.applied).to.have.length(1);
  });

  it('copies from inputs and from trees that actions made', async () => {
    await run(
      mkdir('/made', -1),
      {
        input: 0,
        secondaryInput: 2,
        output: -1,
        copy: { src: '/made', dest: '/x', mode: -1, timestamp: -1 },
      },
      {
        input: 3,
        secondaryInput: 1,
        output: 0,
        copy: { src: '/source', dest: '/y', mode: 0o600, modeStr: 'u+x', timestamp: 0 },
      },
    );
    const [made, first, second] = worker.applied;
    expect(first?.source).to.equal(made?.target);
    expect(second?.source).to.equal('source');
    expect(second?.target).to.equal(first?.target);
    expect(first?.action).to.not.have.any.keys('mode', 'modeStr', 'owner');
    expect(first?.action).to.deep.include({ timestamp: undefined });
    expect(second?.action).to.deep.include({ mode: 0o600, modeStr: 'u+x', timestamp: 0n });
  });

  it('copies a tree into itself from a committed copy of it', async () => {
    await run(mkdir('/a', 0), { input: 2, secondaryInput: 2, output: 0, copy: { src: '/a', dest: '/b' } });
    const [first, second] = worker.applied;
    expect(second?.source).to.equal(first?.target);
    expect(second?.target).not.to.equal(first?.target);
  });

  it('looks up owners in the tree that the op names', async () => {
    const owner = {
      user: { byName: { name: 'me', input: 1 } },
      group: { byID: 0 },
    };
    await run(mkdir('/a', 0, 0, { owner }));
    const action = worker.applied[0]?.action;
    if (action?.kind !== 'mkdir') throw new Error('no mkdir');
    expect(action.owner?.group).to.deep.equal({ id: 0 });
    expect(action.owner?.user).to.deep.equal({ name: 'me', in: source });
  });

  it('looks up owners in the tree that is written without a new layer', async () => {
    const owner = { user: { byName: { name: 'me', input: 2 } } };
    await run(mkdir('/a', 0), mkdir('/b', 2, 0, { owner }));
    expect(worker.refs.created).to.have.length(1);
  });

  it('leaves only its outputs behind', async () => {
    const results = await run(mkdir('/a', 0), mkdir('/b', 2, 1), mkdir('/c', 2, 0));
    for (const ref of results) await ref[Symbol.asyncDispose]();
    expect(worker.refs.live).to.equal(2);
  });

  it('says which action failed, and leaves nothing behind', async () => {
    worker.apply = (_target, action) => {
      if (action.kind === 'mkdir' && action.path === '/b') throw new Error('no space');
    };
    const error = await run(mkdir('/a', 0), mkdir('/b', 2, 0)).catch((reason: unknown) => reason);
    if (!(error instanceof BuildError)) throw error;
    expect(error.message).to.equal('no space');
    expect(error.details[0]).to.deep.include({
      type: 'solve',
      subject: { file: 1 },
      inputIds: ['base', 'source'],
    });
    expect(worker.refs.live).to.equal(2);
  });
});
