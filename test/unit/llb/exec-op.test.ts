import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ExecSpec } from '../../../core/contracts/executor.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { ClientAgents } from '../../../core/contracts/session.js';
import { ExecOp } from '../../../core/llb/ops/exec.js';
import type { OpContext } from '../../../core/solver/op.js';
import { SocketFolder } from '../../../core/util/socket-folder.js';
import type { Init, pb } from '../../../proto/index.js';
import type { FakeWorker } from '../../support/fake-worker.js';
import { makeTempDir } from '../../support/trees.js';
import { body, opBytes, rootMount } from './ops.js';
import { type FakeServices, fakeServices, loadNested, opContext } from './services.js';

const never = new AbortController().signal;

describe('ExecOp', () => {
  let services: FakeServices;
  let worker: FakeWorker;
  let base: ImmutableRef;
  let other: ImmutableRef;

  beforeEach(() => {
    services = fakeServices({ secrets: { token: 's3cret' } });
    worker = services.worker;
    base = worker.refs.make({ '/bin/sh': 'sh' }, 'base');
    other = worker.refs.make({ '/src/a': 'a' }, 'other');
  });

  const make = (exec: Init<pb.ExecOp>, inputCount = 2): ExecOp => {
    const op: Init<pb.Op> = {
      exec: { meta: { args: ['make', 'all'], cwd: '/work' }, mounts: [rootMount], ...exec },
    };
    return new ExecOp(
      body('exec', op, inputCount),
      {
        name: 'make',
        bytes: opBytes(op),
        metadata: { ignoreCache: false, description: { a: 'b' }, caps: [], resources: { memory: 1 } },
        inputCount,
        platform: worker.profile.platforms[0]!,
        worker,
        loadNested,
      },
      services,
    );
  };
  const exec = async (
    exec: Init<pb.ExecOp>,
    context: OpContext = opContext(),
  ): Promise<readonly (ImmutableRef | undefined)[]> =>
    (await make(exec).exec([base, other], context)) as (ImmutableRef | undefined)[];
  const failure = async (work: Promise<unknown>): Promise<BuildError> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof BuildError) return error;
    throw new Error(`expected a BuildError, got ${error}`);
  };
  const treeOf = (spec: ExecSpec | undefined, dest: string): string | undefined => {
    const mount = spec?.mounts.find((candidate) => candidate.dest === dest);
    return mount?.kind === 'tree' ? (mount.tree as ImmutableRef).id : undefined;
  };

  it('runs in a new layer on its input, which becomes the result', async () => {
    worker.run = async (spec) => {
      worker.refs.tree(spec.root.tree as ImmutableRef).set('/out', 'made');
      return { exitCode: 0, oomKilled: false };
    };
    const [result] = await exec({});
    expect([...worker.refs.tree(result)]).to.deep.equal([
      ['/bin/sh', 'sh'],
      ['/out', 'made'],
    ]);
    expect(worker.refs.created[0]?.parent).to.equal('base');
    await result?.[Symbol.asyncDispose]();
    expect(worker.refs.live).to.equal(2);
  });

  it('hands the process over as the op says', async () => {
    await exec({
      meta: {
        args: ['a'],
        env: ['X=1'],
        cwd: '/w',
        user: 'me',
        hostname: 'h',
        proxyEnv: { httpProxy: 'p' },
        ulimit: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
        removeMountStubsRecursive: true,
      },
      network: 2,
    });
    expect(worker.specs[0]?.process).to.deep.equal({
      args: ['a'],
      env: [
        'X=1',
        'HTTP_PROXY=p',
        'http_proxy=p',
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ],
      cwd: '/w',
      user: 'me',
      hostname: 'h',
      platform: worker.profile.platforms[0]!,
      network: 'none',
      security: 'sandbox',
      extraHosts: [],
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
      cgroupParent: '',
      resources: { memory: 1 },
      removeMountStubsRecursive: true,
    });
  });

  it('keeps a PATH that is set', async () => {
    await exec({ meta: { args: ['a'], env: ['PATH=/x'] } });
    expect(worker.specs[0]?.process.env).to.deep.equal(['PATH=/x']);
  });

  it('mounts a read-only input itself, and anything writable as a layer of its own', async () => {
    await exec({
      mounts: [
        rootMount,
        { input: 1, dest: '/ro', output: -1, readonly: true, selector: '/src' },
        { input: 1, dest: '/rw', output: -1 },
        { input: -1, dest: '/empty', output: -1 },
      ],
    });
    const [spec] = worker.specs;
    expect(treeOf(spec, '/ro')).to.equal('other');
    expect(spec?.mounts.map((mount) => mount.dest)).to.deep.equal(['/empty', '/ro', '/rw']);
    expect(worker.refs.created.map(({ parent }) => parent)).to.deep.equal(['base', 'other', undefined]);
    expect(treeOf(spec, '/rw')).to.equal(worker.refs.created[1]?.id);
  });

  it('answers outputs by their index; a read-only one is its input again', async () => {
    const results = await exec({
      mounts: [
        { ...rootMount, output: 2 },
        { input: 1, dest: '/ro', output: 0, readonly: true },
        { input: 1, dest: '/rw', output: 1 },
      ],
    });
    expect(results.map((ref) => ref?.id)).to.deep.equal([
      'other',
      worker.refs.created[1]?.id,
      worker.refs.created[0]?.id,
    ]);
  });

  it('gives a read-only root a layer for its mount points, and throws it away', async () => {
    const results = await exec({ mounts: [{ input: 0, dest: '/', output: -1, readonly: true }] });
    expect(results).to.deep.equal([]);
    expect(worker.specs[0]?.root.readonly).to.equal(true);
    expect((worker.specs[0]?.root.tree as ImmutableRef | undefined)?.id).to.equal(worker.refs.created[0]?.id);
    expect(worker.refs.live).to.equal(2);
  });

  it('mounts tmpfs, secrets and relative destinations', async () => {
    await exec({
      mounts: [
        rootMount,
        { input: -1, dest: 'sub', output: -1, mountType: 4, TmpfsOpt: { size: 5 } },
        {
          input: -1,
          dest: '/run/secrets/t',
          // Clients leave it at zero, although the output 0 is the root's.
          output: 0,
          mountType: 1,
          secretOpt: { ID: 'token', uid: 1, gid: 2, mode: 0o100400 },
        },
        { input: -1, dest: '/none', output: -1, mountType: 1, secretOpt: { ID: 'absent', optional: true } },
      ],
      secretenv: [
        { ID: 'token', name: 'TOKEN' },
        { ID: 'absent', name: 'ABSENT', optional: true },
      ],
    });
    expect(worker.specs[0]?.mounts).to.deep.equal([
      {
        kind: 'file',
        dest: '/run/secrets/t',
        data: Buffer.from('s3cret'),
        uid: 1,
        gid: 2,
        mode: 0o400,
      },
      { kind: 'tmpfs', dest: '/work/sub', sizeBytes: 5 },
    ]);
    expect(worker.specs[0]?.process.env.slice(-2)).to.deep.equal(['TOKEN=s3cret', 'ABSENT=']);
  });

  it('refuses a secret that is not there, before anything runs', async () => {
    const error = await failure(exec({ secretenv: [{ ID: 'absent', name: 'X' }] }));
    expect(error).to.include({ code: 'secret.not-found', message: 'secret absent: not found' });
    expect(worker.specs).to.deep.equal([]);
    expect(worker.refs.live).to.equal(2);
  });

  it('keeps what a step puts into a cache mount, also when it fails', async () => {
    const mounts = [
      rootMount,
      { input: -1, dest: '/c', output: -1, mountType: 3, cacheOpt: { ID: 'id' } } as const,
    ];
    worker.run = async (spec) => {
      const cache = spec.mounts[0];
      if (cache?.kind === 'tree') worker.refs.tree(cache.tree as ImmutableRef).set('/kept', '1');
      return { exitCode: 1, oomKilled: false };
    };
    await failure(exec({ mounts }));
    let seen: unknown;
    worker.run = async (spec) => {
      const cache = spec.mounts[0];
      if (cache?.kind === 'tree') seen = worker.refs.tree(cache.tree as ImmutableRef).get('/kept');
      return { exitCode: 0, oomKilled: false };
    };
    await exec({ mounts });
    expect(seen).to.equal('1');
  });

  it('shares one locked cache mount between two mounts of a step', async () => {
    const cache = { input: -1, output: -1, mountType: 3, cacheOpt: { ID: 'id', sharing: 2 } } as const;
    await exec({ mounts: [rootMount, { ...cache, dest: '/a' }, { ...cache, dest: '/b' }] });
    expect(treeOf(worker.specs[0], '/a')).to.equal(treeOf(worker.specs[0], '/b'));
  });

  it('fails in the words that clients know, with everything they need', async () => {
    worker.run = async () => ({ exitCode: 7, oomKilled: false });
    const error = await failure(exec({ meta: { args: ['sh', '-c', 'echo "x"'] } }));
    expect(error.message).to.equal(
      String.raw`process "sh -c echo \"x\"" did not complete successfully: exit code: 7`,
    );
    expect(error.code).to.equal('exec.exit');
    expect(error.details.map(({ type }) => type)).to.deep.equal(['solve', 'exit']);
    expect(error.details[0]).to.deep.include({ inputIds: ['base'], description: { a: 'b' } });
    expect(error.details[1]).to.deep.equal({ type: 'exit', exitCode: 7 });
  });

  it('keeps the trees of a failed step for as long as the step is known', async () => {
    worker.run = async (spec) => {
      worker.refs.tree(spec.root.tree as ImmutableRef).set('/left', 'behind');
      return { exitCode: 7, oomKilled: false };
    };
    const context = opContext();
    const source = { input: 1, dest: '/src', output: -1, readonly: true };
    const error = await failure(exec({ mounts: [rootMount, source] }, context));
    const solve = error.details.find((detail) => detail.type === 'solve');
    const [root = '', src] = solve?.mountIds ?? [];
    expect(solve?.inputIds).to.deep.equal(['base', 'other']);
    expect(src).to.equal('other');
    expect(worker.refs.tree({ id: root }).get('/left')).to.equal('behind');
    for (const held of context.kept) await held[Symbol.asyncDispose]();
    expect(worker.refs.has(root)).to.equal(false);
    expect(worker.refs.live).to.equal(2);
  });

  it('says when the kernel ran out of memory', async () => {
    worker.run = async () => ({ exitCode: 137, oomKilled: true });
    expect((await failure(exec({}))).message).to.match(/successfully: cannot allocate memory$/);
  });

  it('takes the exit codes that are valid', async () => {
    worker.run = async () => ({ exitCode: 3, oomKilled: false });
    expect(await exec({ meta: { args: ['x'], validExitCodes: [3] } })).to.have.length(1);
    worker.run = async () => ({ exitCode: 0, oomKilled: false });
    expect((await failure(exec({ meta: { args: ['x'], validExitCodes: [3] } }))).code).to.equal('exec.exit');
  });

  it('leaves nothing behind when it is aborted', async () => {
    const abort = new AbortController();
    worker.run = (_spec, _io, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        abort.abort();
      });
    const error = await exec({}, opContext(abort.signal)).catch((reason: unknown) => reason);
    expect(error).to.have.property('name', 'AbortError');
    expect(worker.refs.live).to.equal(2);
  });

  it('leaves nothing behind when a commit fails', async () => {
    worker.run = async (spec) => {
      Object.assign(spec.root.tree, {
        commit: async () => {
          throw new Error('disk full');
        },
      });
      return { exitCode: 0, oomKilled: false };
    };
    const error = await failure(
      exec({
        mounts: [
          { ...rootMount, output: 1 },
          { input: 1, dest: '/rw', output: 0 },
        ],
      }),
    );
    expect(error.message).to.equal('disk full');
    expect(worker.refs.live).to.equal(2);
  });

  it('shows what the process prints', async () => {
    const shown: string[] = [];
    const progress = {
      ...silentProgress,
      log: (stream: string, data: Uint8Array) => void shown.push(`${stream} ${Buffer.from(data)}`),
    };
    worker.run = async (_spec, io) => {
      io.stdout(Buffer.from('out'));
      io.stderr(Buffer.from('err'));
      return { exitCode: 0, oomKilled: false };
    };
    await exec({}, opContext(undefined, progress));
    expect(shown).to.deep.equal(['stdout out', 'stderr err']);
  });

  describe('ssh agents', () => {
    const mount = { dest: '/ssh', output: -1, input: -1, mountType: 2 } as const;
    let home: string;
    beforeEach(() => {
      home = makeTempDir();
    });
    afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

    const withAgents = (agents: Partial<ClientAgents>): void => {
      services = fakeServices({ agents, sockets: new SocketFolder(path.join(home, 'sockets')) });
      worker = services.worker;
      base = worker.refs.make({ '/bin/sh': 'sh' }, 'base');
      other = worker.refs.make({}, 'other');
    };
    const own = { uid: process.getuid!(), gid: process.getgid!() };

    it('are sockets in the container for as long as it runs', async () => {
      withAgents({
        check: async (id) => void expect(id).to.equal('work'),
        forward: async (id, connection) => void connection.end(`agent ${id}`),
      });
      let source = '';
      worker.run = async ({ mounts }) => {
        const socket = mounts.find(({ dest }) => dest === '/ssh');
        const [bind] = socket?.kind === 'tree' ? await socket.tree.mounts(silentProgress, never) : [];
        source = bind!.source;
        expect(fs.statSync(source).mode & 0o777).to.equal(0o600);
        const said = await new Promise((resolve) => {
          net.connect(source).once('data', (data) => resolve(data.toString()));
        });
        expect(said).to.equal('agent work');
        return { exitCode: 0, oomKilled: false };
      };
      await exec({ mounts: [rootMount, { ...mount, SSHOpt: { ID: 'work', ...own, mode: 0o600 } }] });
      expect(source).not.to.equal('');
      expect(fs.existsSync(source)).to.equal(false);
    });

    it('may be missing only if they are optional', async () => {
      withAgents({});
      await exec({ mounts: [rootMount, { ...mount, SSHOpt: { ID: 'x', optional: true } }] });
      expect(worker.specs[0]?.mounts).to.deep.equal([]);
      const error = await failure(exec({ mounts: [rootMount, { ...mount, SSHOpt: { ID: 'x' } }] }));
      expect(error.grpcCode).to.equal('NotFound');
    });
  });
});
