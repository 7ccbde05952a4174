/**
 * `npm run bench:tracing [-- --rounds 30]`: what tracing costs a daemon. The same builds go to two daemons in turn, one of
 * which sends its spans to an agent on this machine, and the processor time of each is counted: a busy machine does not
 * matter. Needs root and a bundle (npm run build).
 */
import { createSocket } from 'node:dgram';
import { parseArgs } from 'node:util';
import type { Daemon } from '../../client/daemon.js';
import { connectDaemon } from '../../client/grpc/connect.js';
import { DisposeStack } from '../../core/util/dispose.js';
import type { DaemonProcess } from '../../test/integration/support/daemon.js';
import { Ground } from '../../test/integration/support/ground.js';
import { processorMs } from './processor-time.js';
import { type TracedWorkload, workloads } from './workloads.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
/** Not counted: what is compiled and loaded meanwhile. */
const WARM_UP = 5;

interface Side {
  readonly process: DaemonProcess;
  readonly api: Daemon;
}

/** Milliseconds of one build, all threads of the daemon together. */
async function timed({ process, api }: Side, workload: TracedWorkload, round: number): Promise<number> {
  const before = await processorMs(process.pid);
  await workload.build(api, round);
  return (await processorMs(process.pid)) - before;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function measure(
  workload: TracedWorkload,
  [off, on]: readonly [Side, Side],
  rounds: number,
): Promise<string> {
  const times = { off: [] as number[], on: [] as number[] };
  for (let round = 0; round < rounds + WARM_UP; round++) {
    const first = round % 2 === 0;
    const run = { off: () => timed(off, workload, round), on: () => timed(on, workload, round) };
    const pair = first
      ? { off: await run.off(), on: await run.on() }
      : { on: await run.on(), off: await run.off() };
    if (round < WARM_UP) continue;
    times.off.push(pair.off);
    times.on.push(pair.on);
  }
  const lowest = { off: Math.min(...times.off), on: Math.min(...times.on) };
  const middle = { off: median(times.off), on: median(times.on) };
  const percent = (a: number, b: number): string => `${((b / a - 1) * 100).toFixed(1)} %`.padStart(8);
  return [
    workload.name.padEnd(26),
    ...[middle.off, middle.on].map((ms) => `${ms.toFixed(1)} ms`.padStart(10)),
    percent(middle.off, middle.on),
    percent(lowest.off, lowest.on),
  ].join(' ');
}

async function main(): Promise<void> {
  await using owned = new DisposeStack();
  const ground = await owned.use(await Ground.open('bench-tracing'));
  const agent = createSocket('udp4');
  await new Promise<void>((resolve) => agent.bind(0, '127.0.0.1', resolve));
  await owned.defer(() => void agent.close());
  const side = async (name: string, env: Readonly<Record<string, string>>): Promise<Side> => {
    const process = await owned.use(await ground.daemon(name, { env }));
    return { process, api: await owned.use(await connectDaemon(process.address)) };
  };
  const sides = [
    await side('off', { JAEGER_TRACE: '' }),
    await side('on', { JAEGER_TRACE: `127.0.0.1:${agent.address().port}` }),
  ] as const;
  const line = (text: string): boolean => process.stdout.write(`${text}\n`);
  line(
    `${'median of processor time'.padEnd(26)} ${'off'.padStart(10)} ${'on'.padStart(10)} ${'more'.padStart(8)} ${'at best'.padStart(8)}`,
  );
  for (const workload of await workloads(ground)) line(await measure(workload, sides, Number(values.rounds)));
}

await main();
