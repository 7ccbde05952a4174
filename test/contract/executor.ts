import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { ExecMount, ExecSpec, Executor, Mountable, ProcessSpec } from '../../core/contracts/executor.js';
import { silentProgress } from '../../core/contracts/progress.js';
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
