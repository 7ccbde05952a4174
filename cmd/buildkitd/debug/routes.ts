/** What the debug address answers. BuildKit: cmd/buildkitd/debug.go. */
import { invalid } from '../../../core/contracts/index.js';
import type { Engine } from '../../../core/kernel/engine.js';
import type { DaemonMetrics } from './metrics.js';
import { cpuProfile, heapProfile } from './profiles.js';

export interface Answer {
  readonly type: string;
  readonly body: string;
  /** Name under which browsers keep it. */
  readonly file?: string;
}

export type Route = (query: URLSearchParams, signal: AbortSignal) => Promise<Answer>;

const MAX_SECONDS = 600;

const text = (body: string): Answer => ({ type: 'text/plain; charset=utf-8', body });
const json = (value: unknown, file?: string): Answer => ({
  type: 'application/json',
  body: typeof value === 'string' ? value : `${JSON.stringify(value, undefined, 2)}\n`,
  ...(file ? { file } : {}),
});

export function debugRoutes(engine: Engine, metrics: DaemonMetrics): ReadonlyMap<string, Route> {
  const { control } = engine;
  const routes = new Map<string, Route>([
    ['/metrics', async () => ({ type: metrics.contentType, body: await metrics.text() })],
    ['/debug/tasks', async (_query, signal) => text((await control.tasks({}, { signal })).table)],
    [
      '/debug/requests',
      async () => json({ running: control.activity.running(), ended: control.activity.ended() }),
    ],
    ['/debug/gc', async () => json(await control.collector.run())],
    ['/debug/vars', async () => json(vars(engine))],
    [
      '/debug/pprof/profile',
      async (query, signal) => json(await cpuProfile(seconds(query, 30), signal), 'buildkitd.cpuprofile'),
    ],
    [
      '/debug/pprof/heap',
      async (query, signal) => json(await heapProfile(seconds(query, 5), signal), 'buildkitd.heapprofile'),
    ],
  ]);
  const index = [...routes.keys()].join('\n');
  return routes.set('/', async () => text(`${index}\n`)).set('/debug/pprof/', async () => text(`${index}\n`));
}

const vars = (engine: Engine): unknown => ({
  pid: process.pid,
  uptimeSeconds: Math.round(process.uptime()),
  versions: { node: process.versions.node, v8: process.versions.v8 },
  memory: process.memoryUsage(),
  resources: process.resourceUsage(),
  stats: engine.stats(),
});

function seconds(query: URLSearchParams, fallback: number): number {
  const given = query.get('seconds');
  if (given === null) return fallback;
  const value = Number(given);
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw invalid('buildkitd.seconds', `seconds=${given}: expected a number up to ${MAX_SECONDS}`);
}
