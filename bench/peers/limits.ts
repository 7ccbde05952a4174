/** What the machine can do at best: usual programs with the bytes of the workloads. To be read beside them. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from './compare.js';
import type { Bench } from './workload.js';

export interface Limit {
  readonly command: string;
  readonly summary: string;
  /** Undefined when the program is not installed. */
  readonly seconds: number | undefined;
}

interface Program {
  readonly command: readonly [string, ...string[]];
  readonly summary: string;
}

const RUNS = 3;
const NOT_INSTALLED = 127;

export async function measureLimits(bench: Bench, signal: AbortSignal): Promise<readonly Limit[]> {
  const { contexts, dir, trees } = bench;
  const big = await contexts.write('big', '', { blob: randomBytes(256 << 20) });
  const many = await contexts.shared('many', () => contexts.many('many', 2048));
  const real = await contexts.shared('real', () => contexts.real('real', trees));
  const archive = join(dir, 'limit.tar');
  const out = join(dir, 'limit');
  await wall(['tar', '-cf', archive, '-C', real, '.'], signal);
  const programs: readonly Program[] = [
    { command: ['cp', join(big, 'blob'), out], summary: 'a file of 256 MiB written' },
    { command: ['sha256sum', join(big, 'blob')], summary: 'the same file hashed' },
    { command: ['cp', '-a', many, out], summary: '10,000 files written' },
    {
      command: ['gzip', '-kfS', '.limit', archive],
      summary: 'the layer of real programs compressed, one thread',
    },
    { command: ['pigz', '-kfS', '.limit', archive], summary: 'the same, all threads' },
    { command: ['zstd', '-qfT0', archive, '-o', out], summary: 'the same, all threads' },
    { command: ['tar', '-xf', archive, '--one-top-level', '-C', dir], summary: 'the same layer unpacked' },
  ];
  const limits: Limit[] = [];
  for (const { command, summary } of programs) {
    const seconds: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const took = await wall(command, signal);
      if (took !== undefined) seconds.push(took);
      for (const left of [out, `${archive}.limit`]) await rm(left, { recursive: true, force: true });
    }
    const options = command.slice(1).filter((word) => /^-\w/.test(word));
    limits.push({ command: [command[0], ...options].join(' '), summary, seconds: median(seconds) });
  }
  return limits;
}

/** Undefined when there is no such program. */
async function wall(
  command: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<number | undefined> {
  const begun = performance.now();
  const child = spawn(command[0], command.slice(1), { stdio: 'ignore', signal });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? resolve(NOT_INSTALLED) : reject(error),
    );
    child.once('close', (status) => resolve(status ?? 128));
  });
  if (code === NOT_INSTALLED) return undefined;
  if (code !== 0) throw new Error(`${command.join(' ')} exited with ${code}`);
  return (performance.now() - begun) / 1000;
}
