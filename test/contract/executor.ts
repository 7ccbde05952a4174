import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type {
  ExecIo,
  ExecMount,
  ExecSpec,
  Executor,
  Mountable,
  ProcessSpec,
  RunningContainer,
  RunningProcess,
} from '../../core/contracts/executor.js';
import { silentProgress } from '../../core/contracts/progress.js';
import { deferred } from '../../core/util/deferred.js';
import { newId } from '../../core/util/identity.js';

/** A tree to run in or to mount, and the folder on this machine that shows what was written into it. */
export interface FixtureTree {
  readonly tree: Mountable;
  readonly written: string;
}

export interface ExecutorFixture extends AsyncDisposable {
  readonly executor: Executor;
  /** A writable layer on a base with busybox, its applets in /bin, and accounts root, daemon (1:1) and alice. */
  root(): FixtureTree;
  /** The base without a layer: cannot be written. */
  base(): Mountable;
  /** An empty, writable folder. */
  folder(): FixtureTree;
}

export interface Ran {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly out: string;
  readonly err: string;
  /** What is in the layer afterwards. */
  readonly written: string;
}

export interface RunOptions extends Partial<ProcessSpec> {
  readonly root?: FixtureTree;
  readonly readonlyRoot?: boolean;
  readonly mounts?: readonly ExecMount[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly onOutput?: (data: Uint8Array) => void;
}

const never = new AbortController().signal;

/** Runs a shell command line in a fresh layer. */
export const shell = (fixture: ExecutorFixture, script: string, options: RunOptions = {}): Promise<Ran> =>
  runArgs(fixture, ['/bin/sh', '-c', script], options);

export async function runArgs(
  fixture: ExecutorFixture,
  args: readonly string[],
  {
    root = fixture.root(),
    readonlyRoot = false,
    mounts = [],
    stdin,
    signal = never,
    onOutput,
    ...process
  }: RunOptions,
): Promise<Ran> {
  const [out, err]: [Uint8Array[], Uint8Array[]] = [[], []];
  const spec: ExecSpec = {
    id: newId(),
    process: { ...plainProcess, ...process, args },
    root: { tree: root.tree, readonly: readonlyRoot },
    mounts,
    progress: silentProgress,
  };
  const io = {
    ...(stdin ? { stdin } : {}),
    stdout: onOutput ?? ((data: Uint8Array): void => void out.push(data)),
    stderr: (data: Uint8Array): void => void err.push(data),
  };
  const result = await fixture.executor.run(spec, io, signal);
  const [stdout, stderr] = [out, err].map((chunks) => Buffer.concat(chunks).toString()) as [string, string];
  return { ...result, out: stdout, err: stderr, written: root.written };
}

export interface Attended {
  readonly process: RunningProcess;
  text(): string;
  errors(): string;
  /** Resolves when its output has this text. */
  said(text: string): Promise<void>;
}

export interface AttendOptions extends Omit<RunOptions, 'onOutput'> {
  readonly args?: readonly string[];
  readonly onOutput?: (data: Uint8Array) => void | Promise<void>;
}

/** Starts a shell command line, and listens to it. */
export async function attend(
  fixture: ExecutorFixture,
  script: string,
  options: AttendOptions = {},
): Promise<
  Attended & {
    exec(script: string, options?: AttendOptions): Promise<Attended>;
    readonly process: RunningContainer;
  }
> {
  const {
    root = fixture.root(),
    mounts = [],
    stdin: _,
    signal = never,
    args,
    onOutput: __,
    ...process
  } = options;
  const spec: ExecSpec = {
    id: newId(),
    process: { ...plainProcess, ...process, args: args ?? ['/bin/sh', '-c', script] },
    root: { tree: root.tree, readonly: false },
    mounts,
    progress: silentProgress,
  };
  const ears = listen(options);
  const container = await fixture.executor.begin(spec, ears.io, signal);
  return {
    ...ears,
    process: container,
    exec: async (more, execOptions = {}) => {
      const execEars = listen(execOptions);
      const { env = [], cwd = '', user = '', tty = false } = execOptions;
      const running = await container.exec(
        { args: execOptions.args ?? ['/bin/sh', '-c', more], env, cwd, user, tty },
        execEars.io,
        execOptions.signal ?? never,
      );
      return { ...execEars, process: running };
    },
  };
}

function listen({ stdin, onOutput }: AttendOptions): Omit<Attended, 'process'> & { readonly io: ExecIo } {
  const [out, err]: [Uint8Array[], Uint8Array[]] = [[], []];
  const waiting = new Set<() => void>();
  const text = (): string => Buffer.concat(out).toString();
  const hear = (data: Uint8Array): void => {
    out.push(data);
    for (const wake of waiting) wake();
  };
  return {
    io: {
      ...(stdin ? { stdin } : {}),
      stdout: onOutput ?? hear,
      stderr: (data) => void err.push(data),
    },
    text,
    errors: () => Buffer.concat(err).toString(),
    said: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!text().includes(wanted)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/**
 * An input that ends when it is told to. What has a terminal waits for one more line before it ends: crun
 * copies between two terminals, and may drop what was written last when the process is gone.
 */
function typed(): { readonly stream: AsyncIterable<Uint8Array>; type(text: string): void; end(): void } {
  const stream = new PassThrough();
  return { stream, type: (text) => void stream.write(text), end: () => void stream.end() };
}

const plainProcess: Omit<ProcessSpec, 'args'> = {
  env: ['PATH=/bin'],
  cwd: '/',
  user: '',
  hostname: '',
  network: 'sandbox',
  security: 'sandbox',
  extraHosts: [],
  ulimits: [],
  cgroupParent: '',
  resources: {},
  removeMountStubsRecursive: false,
};

const lines = (text: string): string[] => text.trim().split('\n');

/** The rejection of `promise`; resolving is a failure. */
const rejection = (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
    (error) => error as Error,
  );

async function* bytes(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** Every file and directory below, relative, sorted. */
export const listing = (dir: string): string[] =>
  fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();

/** Without /etc, which an executor may have copied up for its own files. */
const changes = (dir: string): string[] => listing(dir).filter((name) => name !== 'etc');

/** What every {@link Executor} promises. `make` is called once; each test takes trees of its own. */
export function executorContract(name: string, make: () => Promise<ExecutorFixture>): void {
  describe(`${name} keeps the Executor contract`, function () {
    this.timeout(60_000);
    let fixture: ExecutorFixture;
    before(async () => {
      fixture = await make();
    });
    after(() => fixture[Symbol.asyncDispose]());

    describe('a process', () => {
      it('answers its exit code and keeps its outputs apart', async () => {
        const ran = await shell(fixture, 'echo out; echo err >&2; exit 42');
        expect(ran).to.include({ exitCode: 42, out: 'out\n', err: 'err\n', oomKilled: false });
      });

      it('gets arguments and environment as they are', async () => {
        const script = 'printf "%s|" "$0" "$@" "$A"';
        const args = ['/bin/sh', '-c', script, 'a b', '', 'ü"\\', '$HOME'];
        const { out } = await runArgs(fixture, args, { env: ['PATH=/bin', 'A=x y=<&>'] });
        expect(out).to.equal('a b||ü"\\|$HOME|x y=<&>|');
      });

      it('gets HOME from the passwd file when it is not set', async () => {
        expect((await shell(fixture, 'echo $HOME', { user: 'alice' })).out).to.equal('/home/alice\n');
        const env = ['PATH=/bin', 'HOME=/elsewhere'];
        expect((await shell(fixture, 'echo $HOME', { env })).out).to.equal('/elsewhere\n');
      });

      it('reads an empty stdin, or what it is given', async () => {
        expect((await shell(fixture, 'cat; echo end')).out).to.equal('end\n');
        const big = 'x'.repeat(300_000);
        const { out } = await shell(fixture, 'wc -c', { stdin: bytes('abc', big, 'def') });
        expect(out).to.equal('300006\n');
      });

      it('may leave its stdin unread', async () => {
        async function* endless(): AsyncGenerator<Uint8Array> {
          for (;;) yield Buffer.alloc(65_536);
        }
        expect(await shell(fixture, 'exit 3', { stdin: endless() })).to.include({ exitCode: 3 });
      });

      it('streams output of any size', async () => {
        let size = 0;
        const onOutput = (data: Uint8Array): void => {
          size += data.length;
        };
        const { exitCode } = await shell(fixture, 'head -c 100000000 /dev/zero', { onOutput });
        expect({ exitCode, size }).to.deep.equal({ exitCode: 0, size: 100_000_000 });
      });

      it('rejects when its program is not there', async () => {
        const error = await rejection(runArgs(fixture, ['/no/such'], {}));
        expect(error.message).to.match(/\/no\/such/);
      });

      it('is gone with everything it started when its first process ends', async () => {
        const { tree, written } = fixture.folder();
        const mounts: ExecMount[] = [{ kind: 'tree', dest: '/m', tree, selector: '', readonly: false }];
        await shell(fixture, '(while :; do date >>/m/alive; usleep 20000; done) & usleep 200000', { mounts });
        const size = fs.statSync(path.join(written, 'alive')).size;
        await shell(fixture, 'usleep 200000');
        expect(fs.statSync(path.join(written, 'alive')).size).to.equal(size);
      });
    });

    describe('users', () => {
      const id = async (user: string): Promise<string> => (await shell(fixture, 'id', { user })).out.trim();

      it('run as root unless said', async () => {
        expect(await id('')).to.match(/^uid=0\(root\) gid=0\(root\)/);
      });

      it('are looked up in the tree, with their groups', async () => {
        expect(await id('alice')).to.equal('uid=1000(alice) gid=1000(alice) groups=50(staff),1000(alice)');
        expect(await id('alice:daemon')).to.equal('uid=1000(alice) gid=1(daemon) groups=1(daemon)');
        expect(await id('1000')).to.match(/^uid=1000\(alice\) gid=1000\(alice\)/);
      });

      it('may be numbers that nobody has', async () => {
        expect(await id('4711:4712')).to.equal('uid=4711 gid=4712 groups=4712');
        expect(await id('4711')).to.match(/^uid=4711 gid=0\(root\)/);
      });

      it('that nobody knows are named', async () => {
        const user = await rejection(id('bob'));
        expect(user.message).to.equal('unable to find user bob: no matching entries in passwd file');
        const group = await rejection(id('alice:wheel'));
        expect(group.message).to.equal('unable to find group wheel: no matching entries in group file');
      });
    });

    describe('the root tree', () => {
      it('keeps what was written, and nothing of what was mounted', async () => {
        const { tree } = fixture.folder();
        const mounts: ExecMount[] = [
          { kind: 'tree', dest: '/cache', tree, selector: '', readonly: false },
          { kind: 'tmpfs', dest: '/scratch' },
        ];
        const { written } = await shell(fixture, 'echo 1 >/new; echo 2 >/cache/a; echo 3 >/scratch/b', {
          mounts,
        });
        expect(changes(written)).to.deep.equal(['new']);
      });

      it('may be read-only, whether it could be written or not', async () => {
        const script = 'touch /new 2>/dev/null; echo $?; cat /etc/hosts | wc -l';
        const readonlyRoot = true;
        expect((await shell(fixture, script, { readonlyRoot })).out).to.equal('1\n2\n');
        const root = { tree: fixture.base(), written: '' };
        expect((await shell(fixture, script, { readonlyRoot, root })).out).to.equal('1\n2\n');
      });

      it('gets the working directory, owned by the user', async () => {
        const ran = await shell(fixture, 'pwd; stat -c "%u %a" . ..', { cwd: '/a/b', user: 'alice' });
        expect(ran.out).to.equal('/a/b\n1000 755\n1000 755\n');
        expect(listing(ran.written)).to.include('a/b');
      });

      it('is left alone by a working directory that lies in a mount', async () => {
        const { tree, written: folder } = fixture.folder();
        const mounts: ExecMount[] = [
          { kind: 'tree', dest: '/m', tree, selector: '', readonly: false },
          { kind: 'tmpfs', dest: '/t' },
        ];
        const inTree = await shell(fixture, 'pwd', { cwd: '/m/deep/down', mounts });
        expect(inTree.out).to.equal('/m/deep/down\n');
        expect(listing(folder)).to.deep.equal(['deep', 'deep/down']);
        expect(changes(inTree.written)).to.deep.equal([]);
        expect((await shell(fixture, 'pwd', { cwd: '/t', mounts })).out).to.equal('/t\n');
      });

      it('keeps parents of mount points unless told otherwise', async () => {
        const mounts: ExecMount[] = [{ kind: 'tmpfs', dest: '/p/q/r' }];
        expect(changes((await shell(fixture, ':', { mounts })).written)).to.deep.equal(['p', 'p/q']);
        const removed = await shell(fixture, ':', { mounts, removeMountStubsRecursive: true });
        expect(changes(removed.written)).to.deep.equal([]);
      });
    });

    describe('mounts', () => {
      it('of trees are written through to their folder', async () => {
        const { tree, written } = fixture.folder();
        const mounts: ExecMount[] = [{ kind: 'tree', dest: '/m', tree, selector: '', readonly: false }];
        await shell(fixture, 'mkdir /m/d; echo hi >/m/d/f', { mounts });
        expect(fs.readFileSync(path.join(written, 'd/f'), 'utf8')).to.equal('hi\n');
      });

      it('may be read-only', async () => {
        const { tree } = fixture.folder();
        const mounts: ExecMount[] = [{ kind: 'tree', dest: '/m', tree, selector: '', readonly: true }];
        const { exitCode, err } = await shell(fixture, 'touch /m/f', { mounts });
        expect(exitCode).to.equal(1);
        expect(err).to.match(/Read-only file system/);
      });

      it('take directories and files inside a tree', async () => {
        const { tree, written } = fixture.folder();
        fs.mkdirSync(path.join(written, 'sub'));
        fs.writeFileSync(path.join(written, 'sub/file'), 'selected');
        const mounts: ExecMount[] = [
          { kind: 'tree', dest: '/dir', tree, selector: '/sub', readonly: true },
          { kind: 'tree', dest: '/file', tree, selector: 'sub/file', readonly: true },
        ];
        expect((await shell(fixture, 'ls /dir; cat /file', { mounts })).out).to.equal('file\nselected');
      });

      it('follow links inside the tree and never out of it', async () => {
        const { tree, written } = fixture.folder();
        fs.mkdirSync(path.join(written, 'etc'));
        fs.writeFileSync(path.join(written, 'etc/hostname'), 'inside');
        fs.symlinkSync('/etc', path.join(written, 'absolute'));
        fs.symlinkSync('../../../../etc', path.join(written, 'upwards'));
        for (const selector of ['absolute/hostname', 'upwards/hostname', '../../etc/hostname']) {
          const mounts: ExecMount[] = [{ kind: 'tree', dest: '/f', tree, selector, readonly: true }];
          expect((await shell(fixture, 'cat /f', { mounts })).out).to.equal('inside');
        }
      });

      it('name a path that the tree does not have', async () => {
        const { tree } = fixture.folder();
        const mounts: ExecMount[] = [{ kind: 'tree', dest: '/f', tree, selector: '/no/way', readonly: true }];
        expect((await rejection(shell(fixture, ':', { mounts }))).message).to.match(
          /\/no\/way: no such file or directory/,
        );
      });

      it('lie on top of each other in their order', async () => {
        const [outer, inner] = [fixture.folder(), fixture.folder()];
        fs.writeFileSync(path.join(inner.written, 'i'), '');
        const mounts: ExecMount[] = [
          { kind: 'tree', dest: '/m', tree: outer.tree, selector: '', readonly: false },
          { kind: 'tree', dest: '/m/n', tree: inner.tree, selector: '', readonly: false },
          { kind: 'tmpfs', dest: '/m/n/t' },
        ];
        const { out } = await shell(fixture, 'touch /m/o; find /m | sort', { mounts });
        expect(lines(out)).to.deep.equal(['/m', '/m/n', '/m/n/i', '/m/n/t', '/m/o']);
      });

      it('of files are private, with owner and mode', async () => {
        const data = Buffer.from('secret');
        const mounts: ExecMount[] = [
          { kind: 'file', dest: '/run/secrets/s', data, uid: 1000, gid: 1, mode: 0o440 },
        ];
        const script = 'stat -c "%u %g %a" /run/secrets/s; cat /run/secrets/s';
        const { out, written } = await shell(fixture, script, {
          mounts,
          user: 'alice',
          removeMountStubsRecursive: true,
        });
        expect(out).to.equal('1000 1 440\nsecret');
        expect(changes(written)).to.deep.equal([]);
      });

      it('in memory have the size they were given', async () => {
        const mounts: ExecMount[] = [{ kind: 'tmpfs', dest: '/t', sizeBytes: 1 << 20 }];
        const { out } = await shell(fixture, 'df -k /t | tail -1 | tr -s " " | cut -d" " -f2', { mounts });
        expect(out).to.equal('1024\n');
      });

      it('replace the /dev/shm that every step has', async () => {
        const mounts: ExecMount[] = [{ kind: 'tmpfs', dest: '/dev/shm', sizeBytes: 2 << 20 }];
        const { out } = await shell(fixture, 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2', {
          mounts,
        });
        expect(out).to.equal('2048\n');
      });

      it('may be used by several steps at once', async () => {
        const { tree, written } = fixture.folder();
        const mounts: ExecMount[] = [{ kind: 'tree', dest: '/m', tree, selector: '', readonly: false }];
        // Each waits for the other.
        const meet = (own: string, other: string): Promise<Ran> =>
          shell(fixture, `touch /m/${own}; until [ -e /m/${other} ]; do usleep 5000; done`, { mounts });
        await Promise.all([meet('a', 'b'), meet('b', 'a')]);
        expect(listing(written)).to.deep.equal(['a', 'b']);
      });
    });

    describe('the sandbox', () => {
      it('has a hostname and knows it', async () => {
        expect((await shell(fixture, 'hostname')).out).to.equal('buildkitsandbox\n');
        const { out } = await shell(fixture, 'hostname; grep 127.0.0.1 /etc/hosts', { hostname: 'builder' });
        expect(out).to.equal('builder\n127.0.0.1\tlocalhost builder\n');
      });

      it('knows extra hosts', async () => {
        const { out } = await shell(fixture, 'tail -1 /etc/hosts', {
          extraHosts: [{ host: 'db', ip: '10.1.2.3' }],
        });
        expect(out).to.equal('10.1.2.3\tdb\n');
      });

      it('has resolvers', async () => {
        expect((await shell(fixture, 'cat /etc/resolv.conf')).out).to.match(/^nameserver \S+$/m);
      });

      it('has a network with nothing but loopback, up, when it asked for none', async () => {
        const { out } = await shell(
          fixture,
          'ls /sys/class/net; ip -o addr show up; cat /proc/net/dev | wc -l',
          {
            network: 'none',
          },
        );
        expect(out).to.match(/127\.0\.0\.1\/8/);
        expect(out).not.to.match(/eth|veth/);
      });

      it("has the host's network when it asked for that", async () => {
        const { out } = await shell(fixture, 'readlink /proc/self/ns/net', { network: 'host' });
        expect(out.trim()).to.equal(fs.readlinkSync('/proc/self/ns/net'));
      });

      it('is confined', async () => {
        const script = `
          grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status | tr -s '\\t' ' '
          mount -t tmpfs none /mnt 2>/dev/null || echo no mount
          echo 1 2>/dev/null >/proc/sys/kernel/panic || echo read-only proc
          group=/sys/fs/cgroup; [ -d $group/memory ] && group=$group/memory
          mkdir 2>/dev/null $group/x || echo read-only cgroup
          [ "$(head -c1 /proc/kcore | wc -c)" = 0 ] && echo masked`;
        expect(lines((await shell(fixture, script)).out)).to.deep.equal([
          'CapEff: 00000000a80425fb',
          'NoNewPrivs: 0',
          'Seccomp: 2',
          'no mount',
          'read-only proc',
          'read-only cgroup',
          'masked',
        ]);
      });

      it('is not confined when the step may be insecure', async () => {
        const script = `
          grep -E '^(CapEff|Seccomp):' /proc/self/status | tr -s '\\t' ' '
          mkdir /x; mount -t tmpfs none /x && echo mounted
          [ -c /dev/fuse ] && echo devices`;
        const { out } = await shell(fixture, script, { security: 'insecure' });
        const own = /CapEff:\s*(\S+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))![1];
        expect(lines(out)).to.deep.equal([`CapEff: ${own}`, 'Seccomp: 0', 'mounted', 'devices']);
      });

      it('sees its own processes only', async () => {
        expect((await shell(fixture, 'echo $$; ls /proc | grep -c "^[0-9]"')).out).to.match(/^1\n[1-5]\n$/);
      });
    });

    describe('limits', () => {
      it('of the process are set', async () => {
        const ulimits = [{ name: 'nofile', soft: 100, hard: 200 }];
        expect((await shell(fixture, 'ulimit -Sn; ulimit -Hn', { ulimits })).out).to.equal('100\n200\n');
      });

      it('that do not exist are named', async () => {
        const error = await rejection(
          shell(fixture, ':', { ulimits: [{ name: 'nofiles', soft: 1, hard: 1 }] }),
        );
        expect(error.message).to.match(/unknown ulimit "nofiles".*did you mean "nofile"/);
      });

      it('of memory end in an OOM kill that is reported', async () => {
        const { exitCode, oomKilled } = await shell(fixture, 'tail /dev/zero', {
          resources: { memory: 16 << 20, memorySwap: 16 << 20 },
        });
        expect({ exitCode, oomKilled }).to.deep.equal({ exitCode: 137, oomKilled: true });
      });
    });

    describe('an abort', () => {
      it('kills everything at once and says canceled', async () => {
        const { tree, written } = fixture.folder();
        const mounts: ExecMount[] = [{ kind: 'tree', dest: '/m', tree, selector: '', readonly: false }];
        const abort = new AbortController();
        const script = `
          trap '' TERM INT HUP
          for i in 1 2 3; do (trap '' TERM; setsid sh -c 'trap "" TERM; while :; do date >>/m/alive; usleep 10000; done') & done
          usleep 100000; echo up; sleep 1000`;
        let since = 0;
        const error = await rejection(
          shell(fixture, script, {
            mounts,
            signal: abort.signal,
            onOutput: () => {
              since = performance.now();
              abort.abort();
            },
          }),
        );
        expect(error).to.include({ code: 'canceled' });
        expect(performance.now() - since).to.be.below(2000);
        const size = fs.statSync(path.join(written, 'alive')).size;
        await shell(fixture, 'usleep 100000');
        expect(fs.statSync(path.join(written, 'alive')).size).to.equal(size);
      });

      it('at any moment leaves nothing running', async () => {
        const started = await Promise.all(
          [0, 1, 2, 4, 8, 12, 16, 24].map(async (ms) => {
            const abort = new AbortController();
            setTimeout(() => abort.abort(), ms);
            return rejection(shell(fixture, 'sleep 1000', { signal: abort.signal }));
          }),
        );
        expect(started.map(({ code }) => code)).to.deep.equal(Array(8).fill('canceled'));
      });

      it('before the start runs nothing', async () => {
        const error = await rejection(shell(fixture, ':', { signal: AbortSignal.abort() }));
        expect(error).to.include({ code: 'canceled' });
      });
    });

    describe('an attended process', () => {
      it('may be told signals, and answers its exit code', async () => {
        const attended = await attend(
          fixture,
          'trap "echo got it; exit 7" USR1; echo up; while :; do sleep 0.1; done',
        );
        await attended.said('up');
        attended.process.signal('SIGUSR1');
        expect(await attended.process.ended).to.include({ exitCode: 7 });
        expect(attended.text()).to.equal('up\ngot it\n');
        attended.process.signal('SIGTERM');
      });

      it('that ends at once has run all the same', async () => {
        const attended = await attend(fixture, 'echo hi; exit 3');
        expect(await attended.process.ended).to.include({ exitCode: 3 });
        expect(attended.text()).to.equal('hi\n');
      });

      it('rejects when its program is not there', async () => {
        const error = await rejection(attend(fixture, '', { args: ['/no/such'] }));
        expect(error.message).to.match(/\/no\/such/);
      });

      it('reads what comes while it runs', async () => {
        const input = typed();
        const attended = await attend(fixture, 'while read line; do echo "<$line>"; done', {
          stdin: input.stream,
        });
        input.type('one\n');
        await attended.said('<one>');
        input.type('two\n');
        await attended.said('<two>');
        input.end();
        expect(await attended.process.ended).to.include({ exitCode: 0 });
      });

      it('waits while its reader is busy', async () => {
        const gate = deferred<void>();
        let size = 0;
        const attended = await attend(fixture, 'head -c 30000000 /dev/zero; echo >&2 written', {
          onOutput: (data) => {
            size += data.length;
            return gate.promise;
          },
        });
        await shell(fixture, 'usleep 100000');
        expect(size).to.be.below(1_000_000);
        gate.resolve();
        await attended.process.ended;
        expect(size).to.equal(30_000_000);
      });

      it('is killed by an abort', async () => {
        const abort = new AbortController();
        const attended = await attend(fixture, 'sleep 1000', { signal: abort.signal });
        abort.abort();
        expect(await rejection(attended.process.ended)).to.include({ code: 'canceled' });
      });
    });

    describe('a terminal', () => {
      it('is all three streams of the process, with the size it is given', async () => {
        const input = typed();
        const script = `
          stty -echo; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal
          trap 'stty size; read end; exit 4' WINCH
          echo up; while :; do sleep 0.1; done`;
        const attended = await attend(fixture, script, { tty: true, stdin: input.stream });
        await attended.said('up');
        attended.process.resize({ rows: 33, columns: 121 });
        await attended.said('121\r\n');
        input.type('\n');
        expect(await attended.process.ended).to.include({ exitCode: 4 });
        expect(attended.text()).to.equal('terminal\r\nup\r\n33 121\r\n');
        attended.process.resize({ rows: 1, columns: 1 });
      });

      it('passes on what is typed, and its control characters', async () => {
        const input = typed();
        const attended = await attend(
          fixture,
          'stty -echo; trap : INT; echo up; read line; echo "<$line>"; cat; echo "cat $?"; read end',
          {
            tty: true,
            stdin: input.stream,
          },
        );
        await attended.said('up');
        input.type('hello\n');
        await attended.said('<hello>');
        input.type('to cat\n');
        await attended.said('to cat');
        input.type('\x03');
        await attended.said('cat 130');
        input.type('\n');
        await attended.process.ended;
      });

      it('takes more than it can hold', async () => {
        const input = typed();
        const attended = await attend(
          fixture,
          'stty raw -echo; echo up; sleep 0.3; head -c 100000 | md5sum; head -c 1',
          {
            tty: true,
            stdin: input.stream,
          },
        );
        await attended.said('up');
        const text = 'ab\n'.repeat(40_000).slice(0, 100_000);
        input.type(text);
        await attended.said(createHash('md5').update(text).digest('hex'));
        input.type('\n');
        expect(await attended.process.ended).to.include({ exitCode: 0 });
      });
    });

    describe('a further process', () => {
      it('shares the container, and has its own streams and exit code', async () => {
        const first = await attend(fixture, 'echo 1 >/tmp/one; echo up; sleep 1000', {
          env: ['PATH=/bin', 'A=1'],
        });
        await first.said('up');
        const more = await first.exec('cat /tmp/one; hostname; echo $A; echo err >&2; exit 9');
        expect(await more.process.ended).to.deep.equal({ exitCode: 9, oomKilled: false });
        expect(more.text()).to.equal('1\nbuildkitsandbox\n1\n');
        expect(more.errors()).to.equal('err\n');
        first.process.signal('SIGKILL');
        expect(await first.process.ended).to.include({ exitCode: 137 });
      });

      it('reads its own input to its end', async () => {
        const first = await attend(fixture, 'sleep 1000');
        const more = await first.exec('tr a-z A-Z; echo over', { stdin: bytes('read ', 'me\n') });
        expect(await more.process.ended).to.include({ exitCode: 0 });
        expect(more.text()).to.equal('READ ME\nover\n');
        first.process.signal('SIGKILL');
        await first.process.ended;
      });

      it('may be somebody else, somewhere else, with a terminal', async () => {
        const first = await attend(fixture, 'sleep 1000');
        const input = typed();
        const more = await first.exec(
          'stty -echo; id -un; pwd; echo $B; [ -t 1 ] && echo terminal; read end',
          {
            user: 'alice',
            cwd: '/etc',
            env: ['PATH=/bin', 'B=2'],
            tty: true,
            stdin: input.stream,
          },
        );
        await more.said('terminal\r\n');
        input.type('\n');
        expect(await more.process.ended).to.include({ exitCode: 0 });
        expect(more.text()).to.equal('alice\r\n/etc\r\n2\r\nterminal\r\n');
        first.process.signal('SIGKILL');
        await first.process.ended;
      });

      it('is killed alone by its own abort, and may be told signals', async () => {
        const abort = new AbortController();
        const first = await attend(fixture, 'sleep 1000');
        const killed = await first.exec('sleep 1000', { signal: abort.signal });
        const told = await first.exec('trap "exit 5" TERM; echo up; while :; do sleep 0.1; done');
        abort.abort();
        expect(await rejection(killed.process.ended)).to.include({ code: 'canceled' });
        await told.said('up');
        told.process.signal('SIGTERM');
        expect(await told.process.ended).to.include({ exitCode: 5 });
        first.process.signal('SIGKILL');
        await first.process.ended;
      });

      it('ends with the container', async () => {
        const first = await attend(fixture, 'read line', { stdin: typed().stream });
        const more = await first.exec('sleep 1000');
        first.process.signal('SIGKILL');
        await first.process.ended;
        expect(await more.process.ended).to.include({ exitCode: 137 });
        const error = await rejection(first.exec('true'));
        expect(error.message).to.match(/^container \w+ has stopped$/);
      });

      it('whose program is not there is named', async () => {
        const first = await attend(fixture, 'sleep 1000');
        const error = await rejection(first.exec('', { args: ['/no/such'] }));
        expect(error.message).to.match(/\/no\/such/);
        first.process.signal('SIGKILL');
        await first.process.ended;
      });
    });

    it('runs 24 containers at once', async () => {
      const { tree } = fixture.folder();
      const mounts: ExecMount[] = [{ kind: 'tree', dest: '/m', tree, selector: '', readonly: false }];
      // Nobody leaves before all have come.
      const script = (at: number): string =>
        `touch /m/${at}; until [ $(ls /m | wc -l) = 24 ]; do usleep 20000; done; ls /m | wc -l`;
      const all = await Promise.all(
        Array.from({ length: 24 }, (_, at) => shell(fixture, script(at), { mounts })),
      );
      expect(all.map(({ out }) => out)).to.deep.equal(Array(24).fill('24\n'));
    });
  });
}
