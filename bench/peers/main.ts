/** `npm run bench:peers`: the same builds through one client against several daemons; `--help` says how. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Asked, parseArguments, UsageError, usage } from './arguments.js';
import { makeBigImage } from './big-image.js';
import { Client } from './client.js';
import { type Comparison, compare } from './compare.js';
import { Contexts } from './contexts.js';
import { type Limit, measureLimits } from './limits.js';
import { processFigures } from './process-figures.js';
import { lines, markdown } from './table.js';
import type { Bench } from './workload.js';
import { workloads } from './workloads.js';

process.exitCode = await main();

/** 1: a workload failed; 2: the command line is wrong; 130: it was stopped. */
async function main(): Promise<number> {
  try {
    const asked = parseArguments(process.argv.slice(2), workloads);
    if (asked) return await run(asked);
    console.log(usage(workloads).trim());
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench:peers: ${error.message} (--help says more)`);
    return 2;
  }
}

async function run(asked: Asked): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const dir = await mkdtemp(join(asked.scratch, 'bench-peers-'));
  try {
    const { base, registry, trees } = asked;
    const client = new Client(asked.client, stop.signal);
    const bench: Bench = {
      client,
      contexts: new Contexts(dir),
      dir,
      base,
      registry,
      trees,
      big: asked.big ?? '',
    };
    const pulls = asked.workloads.some(({ name }) => name === 'pull');
    const big = asked.big ?? (pulls ? await makeBigImage(asked.peers[0]!, bench) : '');
    const comparisons: Comparison[] = [];
    for (const workload of asked.workloads) {
      const comparison = await compare(workload, asked.peers, { ...bench, big }, asked.runs);
      comparisons.push(comparison);
      console.log(`${lines(comparison)}   load ${loadavg()[0]!.toFixed(1)}`);
    }
    for (const { name, pid } of asked.peers) {
      const figures = await processFigures(pid);
      if (figures) console.log(`${name}: peak memory ${figures.peakMemory.toFixed(0)} MiB`);
    }
    const limits = asked.limits ? await measureLimits(bench, stop.signal) : [];
    for (const limit of limits)
      console.log(`${limit.command}: ${limit.seconds?.toFixed(3) ?? 'not installed'}`);
    await save(asked, comparisons, limits);
    return comparisons.some(({ outcomes }) => outcomes.some(({ failure }) => failure !== undefined)) ? 1 : 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function save(
  asked: Asked,
  comparisons: readonly Comparison[],
  limits: readonly Limit[],
): Promise<void> {
  if (asked.markdown !== undefined) await writeFile(asked.markdown, markdown(comparisons, limits));
  if (asked.json === undefined) return;
  const figures = comparisons.map(({ workload, outcomes }) => ({ workload: workload.name, outcomes }));
  await writeFile(asked.json, `${JSON.stringify({ workloads: figures, limits }, undefined, 2)}\n`);
}
