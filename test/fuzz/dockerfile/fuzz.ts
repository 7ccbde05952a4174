/**
 * Builds mutated Dockerfiles. Whatever one says, it is built or refused within a second of this process' time, and
 * refused by an error of this project that names a line of the file.
 */
import { BuildError } from '../../../core/contracts/errors.js';
import { Random } from '../../simulation/random.js';
import { loadFixtures, runCase } from '../../unit/dockerfile/support/build-case.js';
import { mutate } from './mutate.js';

export interface FuzzFinding {
  /** `fuzzOne(seed)` shows it again. */
  readonly seed: number;
  readonly problem: string;
  readonly dockerfile: string;
}
export interface FuzzResult {
  readonly built: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly findings: readonly FuzzFinding[];
}

const LIMIT_MS = 1000;

const seeds = (): readonly string[] =>
  loadFixtures()
    .filter(({ options }) => options.inputs === undefined)
    .map(({ dockerfile }) => dockerfile);

/** Seeds `first`, `first + by`, … below `end`. */
export async function fuzz(first: number, end: number, by = 1): Promise<FuzzResult> {
  const dockerfiles = seeds();
  const findings: FuzzFinding[] = [];
  let [built, refused, slowestMs] = [0, 0, 0];
  for (let seed = first; seed < end; seed += by) {
    const { dockerfile, outcome, problem, ms } = await fuzzOne(seed, dockerfiles);
    slowestMs = Math.max(slowestMs, ms);
    if (outcome === 'built') built++;
    else refused++;
    if (problem !== undefined) findings.push({ seed, problem, dockerfile });
  }
  return { built, refused, slowestMs, findings };
}

interface Fuzzed {
  readonly dockerfile: string;
  readonly outcome: 'built' | 'refused';
  readonly problem: string | undefined;
  readonly ms: number;
}

export async function fuzzOne(seed: number, dockerfiles = seeds()): Promise<Fuzzed> {
  const random = new Random(seed);
  const dockerfile = mutate(dockerfiles, random);
  // Some are only asked about, which looks at all stages.
  const opts = { cmdline: 'fuzz', ...(random.chance(0.2) ? { requestid: 'frontend.outline' } : {}) };
  const started = process.cpuUsage();
  const { answer } = await runCase(dockerfile, { opts });
  const { user, system } = process.cpuUsage(started);
  const ms = (user + system) / 1000;
  const outcome = answer instanceof BuildError ? 'refused' : 'built';
  const problem = answer instanceof BuildError ? problemOf(answer, dockerfile) : undefined;
  return { dockerfile, outcome, ms, problem: ms > LIMIT_MS ? `took ${ms.toFixed(0)} ms` : problem };
}

/** Errors of JavaScript come out as `unknown`. */
function problemOf(error: BuildError, dockerfile: string): string | undefined {
  if (error.code === 'unknown' && !/: not found/.test(error.message)) return `${error.stack}`;
  const lines = error.details.flatMap((detail) =>
    detail.type === 'source' ? detail.ranges.map(({ start }) => start.line) : [],
  );
  const count = dockerfile.split('\n').length;
  if (lines.length === 0) return `no position: ${error.message}`;
  const [wrong] = lines.filter((line) => line < 1 || line > count);
  return wrong === undefined ? undefined : `line ${wrong} of ${count}: ${error.message}`;
}
