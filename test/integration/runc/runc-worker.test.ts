import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { ExecMount } from '../../../core/contracts/executor.js';
import { newId } from '../../../core/util/identity.js';
import { isErrno } from '../../../core/util/linux/system-error.js';
import { shell } from '../../contract/executor.js';
import { makeWorker, RuncFixture, whyNot } from './fixture.js';

const cgroups = (pattern = '*/buildkit/*'): string[] =>
  execFileSync('find', ['/sys/fs/cgroup', '-path', pattern, '-type', 'd'], { encoding: 'utf8' })
    .split('\n')
    .filter((dir) => dir !== '')
    .map((dir) => path.basename(dir));

/** Processes whose command line has `word` in it. */
const processesWith = (word: string): string[] =>
  fs.readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  });

const crashing = fileURLToPath(new URL('./crashing-daemon.ts', import.meta.url));

/**
 * Starts a daemon that runs a step with `word` in it, and kills it with SIGKILL once the step is up – its last will
 * (last-will.ts) before it, or nothing would be left to sweep.
 */
async function crash(binary: string, dir: string, word: string): Promise<void> {
  const daemon = spawn(process.execPath, ['--import', 'tsx', crashing, binary, dir, word], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => daemon.stdout.once('data', resolve));
  for (const child of childrenOf(daemon.pid!)) {
    if (fs.readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith('sh\0-c\0'))
      process.kill(child, 'SIGKILL');
  }
  daemon.kill('SIGKILL');
  await new Promise((resolve) => daemon.once('close', resolve));
}

/** Of a process or thread that may have ended since it was listed. */
function readProc(file: string): string {
  try {
    return fs.readFileSync(`/proc/${file}`, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}

const childrenOf = (pid: number): readonly number[] =>
  fs
    .readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readProc(`${pid}/task/${thread}/children`).trim().split(' '))
    .filter((child) => child !== '')
    .map(Number);

/** Children of this process that have ended and were never asked for their exit code. */
const zombies = (): readonly number[] =>
  childrenOf(process.pid).filter((pid) => /^State:\s+Z/m.test(readProc(`${pid}/status`)));

for (const binary of ['crun', 'runc']) {
  const why = whyNot(binary);
  const suite = why === undefined ? describe : describe.skip;
  suite(`runc worker with ${binary}${why ? `: ${why}` : ''}`, function () {
    this.timeout(60_000);
    let fixture: RuncFixture;
    before(async () => {
      fixture = await RuncFixture.open(binary);
    });
    after(async () => {
      await fixture[Symbol.asyncDispose]();
      const parents = ['/sys/fs/cgroup', '-depth', '-path', '*/runc-test*', '-type', 'd'];
      execFileSync('find', [...parents, '-exec', 'rmdir', '{}', ';']);
    });

    it('says what it is and what it runs', () => {
      const { id, labels, platforms } = fixture.worker.profile;
      expect(id).to.match(/^[a-z0-9]{25}$/);
      expect(fs.readFileSync(path.join(fixture.home, 'workerid'), 'utf8')).to.equal(id);
      expect(labels).to.include({
        'org.mobyproject.buildkit.worker.executor': 'oci',
        'org.mobyproject.buildkit.worker.network': 'host',
        'org.mobyproject.buildkit.worker.oci.process-mode': 'sandbox',
      });
      expect(platforms[0]).to.include({ os: 'linux' });
    });

    it('leaves no mount in the namespace of the host while a step runs', async () => {
      const mounts: ExecMount[] = [{ kind: 'tmpfs', dest: '/t' }];
      let seen = '';
      const onOutput = (): void => {
        seen = fs.readFileSync('/proc/self/mountinfo', 'utf8');
      };
      await shell(fixture, 'echo up; usleep 50000', { mounts, onOutput });
      expect(seen).to.be.a('string').that.does.not.include(fixture.dir);
    });

    it('removes cgroups and bundles of what has ended', async () => {
      // A parent of its own: other daemons of the machine have theirs below /buildkit too.
      const run = () => shell(fixture, ':', { cgroupParent: '/runc-test-ended' });
      await Promise.all(Array.from({ length: 5 }, run));
      expect(cgroups('*/runc-test-ended/buildkit/*')).to.deep.equal([]);
    });

    it('puts the cgroup below the parent that the step names', async () => {
      const { out } = await shell(fixture, 'cat /proc/self/cgroup', { cgroupParent: '/runc-test/of' });
      expect(out).to.match(/:\/runc-test\/of\/buildkit\/[a-z0-9]{25}$/m);
    });

    it('gives a directory its times back when it takes a mount point away', async () => {
      const root = fixture.root();
      const dir = path.join(root.written, 'srv');
      fs.mkdirSync(dir);
      fs.utimesSync(dir, 1000, 1000);
      const mounts: ExecMount[] = [{ kind: 'tmpfs', dest: '/srv/point' }];
      await shell(fixture, ':', { root, mounts });
      expect(fs.readdirSync(dir)).to.deep.equal([]);
      expect(fs.statSync(dir).mtimeMs).to.equal(1_000_000);
    });

    it('keeps the times of a directory that the step changed', async () => {
      const root = fixture.root();
      const dir = path.join(root.written, 'srv');
      fs.mkdirSync(dir);
      fs.utimesSync(dir, 1000, 1000);
      const mounts: ExecMount[] = [{ kind: 'tmpfs', dest: '/srv/point' }];
      await shell(fixture, 'usleep 20000; touch /srv/new', { root, mounts });
      expect(fs.readdirSync(dir)).to.deep.equal(['new']);
      expect(fs.statSync(dir).mtimeMs).to.be.above(1_000_000);
    });

    it('can mount a layer again that was mounted before', async () => {
      const root = fixture.root();
      for (const text of ['1', '2', '3']) await shell(fixture, `echo ${text} >>/f`, { root });
      expect(fs.readFileSync(path.join(root.written, 'f'), 'utf8')).to.equal('1\n2\n3\n');
    });

    it('shares one mount between steps on one writable layer', async () => {
      const root = fixture.root();
      const mounts: ExecMount[] = [
        { kind: 'tree', dest: '/m', tree: root.tree, selector: 'tmp', readonly: false },
      ];
      const meet = (own: string, other: string): Promise<{ exitCode: number }> =>
        shell(fixture, `touch /m/${own}; until [ -e /m/${other} ]; do usleep 5000; done`, { mounts });
      await Promise.all([meet('a', 'b'), meet('b', 'a')]);
      expect(fs.readdirSync(path.join(root.written, 'tmp')).sort()).to.deep.equal(['a', 'b']);
    });

    it('takes chains of layers whose paths do not fit into a page', async () => {
      const lowers = Array.from({ length: 120 }, (_, at) => {
        const dir = path.join(fixture.dir, 'a-rather-long-name-for-a-folder-of-layers', `layer-${at}`);
        fs.mkdirSync(dir, { recursive: true });
        fs.writeFileSync(path.join(dir, `f${at}`), '');
        return dir;
      });
      const base = (await fixture.base().mounts({} as never, new AbortController().signal))[0]!.source;
      const options = [`lowerdir=${[...lowers, base].join(':')}`];
      const tree = {
        mounts: () => Promise.resolve([{ type: 'overlay' as const, source: 'overlay', options }]),
      };
      const { out } = await shell(fixture, 'ls / | grep -c ^f', {
        root: { tree, written: '' },
        readonlyRoot: true,
      });
      expect(out).to.equal('120\n');
    });

    it('kills what runs when it is closed', async () => {
      const closing = await RuncFixture.open(binary);
      const word = newId();
      let running: Promise<unknown> = Promise.resolve();
      await new Promise<void>((resolve) => {
        const script = `echo up; sleep 1000; : ${word}`;
        running = shell(closing, script, { onOutput: () => resolve() }).catch((error: unknown) => error);
      });
      expect(processesWith(word)).to.have.length.above(0);
      await closing[Symbol.asyncDispose]();
      expect(await running).to.include({ code: 'exec.host' });
      expect(processesWith(word)).to.deep.equal([]);
    });

    it('ends what ran on a thread that died, and runs steps on one other thread', async () => {
      const started: Worker[] = [];
      const note = (worker: Worker): unknown => started.push(worker);
      process.on('worker', note);
      const word = newId();
      // Other suites of this process have children, too.
      const before = zombies();
      try {
        await using own = await RuncFixture.open(binary);
        const threads = started.splice(0);
        let running: Promise<unknown> = Promise.resolve();
        await new Promise<void>((resolve) => {
          const script = `echo up; sleep 1000; : ${word}`;
          running = shell(own, script, { onOutput: () => resolve() }).catch((error: unknown) => error);
        });
        expect(processesWith(word)).to.have.length.above(0);
        for (const thread of threads) await thread.terminate();
        expect(await running).to.include({ code: 'threads.crashed' });
        const outputs = await Promise.all(['1', '2', '3'].map((text) => shell(own, `echo ${text}`)));
        expect(outputs.map(({ out }) => out)).to.deep.equal(['1\n', '2\n', '3\n']);
        expect(started).to.have.length(1);
      } finally {
        process.off('worker', note);
      }
      expect(processesWith(word)).to.deep.equal([]);
      const unreaped = zombies().filter((pid) => !before.includes(pid));
      expect(unreaped, 'nobody is left unreaped').to.deep.equal([]);
    });

    it('sweeps what a killed daemon on the same folder has left, and nothing else', async () => {
      const dir = path.join(fixture.dir, 'crashed');
      const [mine, other] = [`mine-${newId()}`, `other-${newId()}`];
      await crash(binary, dir, mine);
      await crash(binary, `${dir}-other`, other);
      try {
        expect(processesWith(mine)).to.have.length.above(0);
        const worker = makeWorker(dir, binary, fixture.threads);
        await worker.start(new AbortController().signal);
        await worker[Symbol.asyncDispose]();
        expect(processesWith(mine)).to.deep.equal([]);
        expect(processesWith(other)).to.have.length.above(0);
        expect(fs.readdirSync(path.join(dir, 'executor')).sort()).to.deep.equal(['stubs']);
      } finally {
        const worker = makeWorker(`${dir}-other`, binary, fixture.threads);
        await worker.start(new AbortController().signal);
        await worker[Symbol.asyncDispose]();
      }
      expect(processesWith(other)).to.deep.equal([]);
    });
  });
}
