import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { type GitCommand, runGit } from '../../../../plugins/sources/git/git-process.js';
import { makeTempDir } from '../../../support/trees.js';

describe('git process', () => {
  let dir: string;
  beforeEach(() => {
    dir = makeTempDir();
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  /** A program called git that does what the script says. */
  function command(script: string, ...args: string[]): GitCommand & { readonly lines: string[] } {
    fs.writeFileSync(path.join(dir, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const lines: string[] = [];
    const log = (stream: string, data: Buffer): void => void lines.push(`${stream} ${data}`);
    return { args, env: { PATH: `${dir}:/usr/bin:/bin` }, cwd: dir, log, lines };
  }
  const never = new AbortController().signal;

  it('answers code and output, and tells it as it comes', async () => {
    const git = command('echo "out $1"; echo err >&2; exit 3', 'a b');
    expect(await runGit(git, never)).to.deep.include({ exitCode: 3, stderr: 'err\n' });
    expect(git.lines.sort()).to.deep.equal(['stderr err\n', 'stdout out a b\n']);
  });

  it('writes files as everybody expects them, whatever the mask of the daemon is', async () => {
    const mask = process.umask(0o077);
    try {
      await runGit(command('mkdir new; : >file'), never);
    } finally {
      process.umask(mask);
    }
    const mode = (name: string): number => fs.statSync(path.join(dir, name)).mode & 0o777;
    expect([mode('new'), mode('file')]).to.deep.equal([0o755, 0o644]);
  });

  it('ends git with all its helpers when it is no longer wanted, and waits for that', async () => {
    const abort = new AbortController();
    const git = command('sleep 1000 & echo $! >helper; echo ready; wait');
    const watched = { ...git, log: () => abort.abort(new Error('enough')) };
    const error = await runGit(watched, abort.signal).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'canceled' });
    const helper = Number(fs.readFileSync(path.join(dir, 'helper'), 'utf8'));
    expect(await isGone(helper)).to.equal(true);
  });

  it('does not begin for those who have left', async () => {
    const error = await runGit(command(': >ran'), AbortSignal.abort()).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'canceled' });
    expect(fs.existsSync(path.join(dir, 'ran'))).to.equal(false);
  });

  it('listens to a remote only so long', async () => {
    const error = await runGit(command('yes', 'ls-remote'), never).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'git.output' });
  });
});

/** Killed, and nobody's zombie: init collects what lost its parent. */
async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 1000; tries++) {
    const state = /^State:\s+(\w)/m.exec(readStatus(pid))?.[1] ?? 'gone';
    if (state === 'gone' || state === 'Z') return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

function readStatus(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
