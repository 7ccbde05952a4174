/** Which OCI runtimes are installed, and how each wants to be called. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { isErrno } from '../../../core/util/linux/system-error.js';
import type { Runtime } from '../shared/container-host/protocol.js';

const run = promisify(execFile);

/** crun starts a container in a third of the time. */
const automatic = ['crun', 'buildkit-runc', 'runc'];

export const runtimeCandidates = (binary: string): readonly string[] =>
  binary === 'auto' ? automatic : [binary];

/** Asks the program itself; throws what it says when it does not answer. */
export async function describeRuntime(program: string): Promise<Runtime> {
  const [version, help, hybrid] = await Promise.all([
    run(program, ['--version']),
    run(program, ['run', '--help']),
    unifiedControllers(),
  ]);
  const name = /^(\S+) version/m.exec(version.stdout)?.[1] ?? path.basename(program);
  const isCrun = name === 'crun';
  return {
    path: program,
    name,
    keep: /--keep\b/.test(help.stdout + help.stderr),
    precompiledSeccomp: isCrun,
    hideControllers: isCrun && hybrid,
  };
}

/** crun refuses to run where a v2 tree beside v1 has controllers of its own. */
async function unifiedControllers(): Promise<boolean> {
  try {
    return (await readFile('/sys/fs/cgroup/unified/cgroup.controllers', 'utf8')).trim() !== '';
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
