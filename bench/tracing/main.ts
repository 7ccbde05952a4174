/**
 * `npm run bench:tracing [-- --pairs 20 --limit 5]`: what tracing costs a daemon. The same builds go to two daemons, one of which
 * records its spans and sends them to an agent on this machine, and the processor time of each is counted: a busy machine does not
 * matter. With a limit, in percent, it fails when the cost is surely higher. Needs root and a bundle (npm run build).
 *
 * 1. Builds of a pair go to the two daemons in turn, each time beginning with the other one.
 * 2. A pair ends with a pause, which is counted: spans are encoded and sent some time after the build that made them.
 * 3. The verdict is about differences within pairs, and comes with an interval: without it, a number means nothing.
 */
import { createSocket } from 'node:dgram';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Daemon } from '../../client/daemon.js';
import { connectDaemon } from '../../client/grpc/connect.js';
import { DisposeStack } from '../../core/util/dispose.js';
import type { DaemonProcess } from '../../test/integration/support/daemon.js';
import { Ground } from '../../test/integration/support/ground.js';
import { type Pair, verdict } from './paired.js';
import { processorMs } from './processor-time.js';
import { type TracedWorkload, workloads } from './workloads.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '20' },
    limit: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
/** Builds of each daemon before the first pair: what is compiled and loaded meanwhile is not counted. */
const WARM_UP = 30;
/** Longer than spans wait for company. */
const PAUSE_MS = 1200;

interface Side {
  readonly process: DaemonProcess;
  readonly api: Daemon;
}
type Sides = Readonly<Record<keyof Pair, Side>>;

let round = 0;

/** Rule 1. A build is as old on one side as on the other. */
async function inTurn(workload: TracedWorkload, sides: Sides, builds: number): Promise<void> {
  for (let i = 0; i < builds; i++, round++) {
    const order = round % 2 === 0 ? [sides.off, sides.on] : [sides.on, sides.off];
    for (const { api } of order) await workload.build(api, round);
  }
}

async function spent({ off, on }: Sides): Promise<Pair> {
  return { off: await processorMs(off.process.pid), on: await processorMs(on.process.pid) };
}

async function pairOf(workload: TracedWorkload, sides: Sides): Promise<Pair> {
  const before = await spent(sides);
  await inTurn(workload, sides, workload.builds);
  await sleep(PAUSE_MS);
  const after = await spent(sides);
  const each = (side: keyof Pair): number => (after[side] - before[side]) / workload.builds;
  return { off: each('off'), on: each('on') };
}

/** Answers whether the cost is within the limit, as far as one can tell. */
async function measure(workload: TracedWorkload, sides: Sides): Promise<boolean> {
  await inTurn(workload, sides, WARM_UP);
  await sleep(PAUSE_MS);
  const pairs: Pair[] = [];
  for (let i = 0; i < Number(values.pairs); i++) pairs.push(await pairOf(workload, sides));
  const { off, on, more, from, to } = verdict(pairs);
  const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
  const columns = [off, on].map((ms) => `${ms.toFixed(1)} ms`.padStart(10));
  const interval = `${percent(from)} to ${percent(to)}`.padStart(20);
  print(workload.name.padEnd(26), ...columns, percent(more).padStart(8), interval, loadavg()[0]!.toFixed(1));
  return values.limit === undefined || from * 100 <= Number(values.limit);
}

const print = (...columns: readonly string[]): boolean => process.stdout.write(`${columns.join(' ')}\n`);

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
  const sides = {
    off: await side('off', { JAEGER_TRACE: '' }),
    on: await side('on', { JAEGER_TRACE: `127.0.0.1:${agent.address().port}` }),
  };
  const heads = ['off', 'on'].map((head) => head.padStart(10));
  print('processor time of a build'.padEnd(26), ...heads, 'more'.padStart(8), '95 %'.padStart(20), 'load');
  for (const workload of await workloads(ground)) {
    if (!workload.name.includes(values.only)) continue;
    if (!(await measure(workload, sides))) process.exitCode = 1;
  }
}

await main();
