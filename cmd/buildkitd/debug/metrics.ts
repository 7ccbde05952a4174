/** The daemon in numbers, as Prometheus reads them. Names are BuildKit's where it has them (docs/metrics). */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine, EngineStats } from '../../../core/kernel/engine.js';

const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

type Observed = Pick<Engine, 'stats'> & { readonly control: Pick<Engine['control'], 'activity'> };

export class DaemonMetrics implements Disposable {
  readonly #registry = new Registry();
  readonly #watching: Disposable;

  constructor(engine: Observed) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#gauges(engine);
    this.#totals(engine);
    const builds = new Counter({
      name: 'buildkit_builds_total',
      help: 'Builds that have ended',
      labelNames: ['outcome', 'frontend'],
      registers,
    });
    const steps = new Counter({
      name: 'buildkit_builds_steps_total',
      help: 'Steps of builds that have ended: ran, cached, or failed',
      labelNames: ['outcome'],
      registers,
    });
    const duration = new Histogram({
      name: 'buildkit_build_duration_seconds',
      help: 'How long builds took',
      labelNames: ['outcome'],
      buckets: SECONDS,
      registers,
    });
    this.#watching = engine.control.activity.onEnd((build) => {
      builds.inc({ outcome: build.outcome, frontend: build.frontend });
      duration.observe({ outcome: build.outcome }, build.durationMs / 1000);
      for (const [outcome, count] of Object.entries(build.steps)) steps.inc({ outcome }, count);
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
    this.#registry.clear();
  }

  #gauges(engine: Observed): void {
    const gauge = (name: string, help: string, read: (stats: EngineStats) => number): void => {
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read(engine.stats()));
        },
      });
    };
    gauge('buildkit_builds_running', 'Builds that run now', ({ builds }) => builds);
    gauge('buildkit_sessions_open', 'Sessions of clients', ({ sessions }) => sessions);
    gauge('buildkit_solver_tasks', 'Steps that the solver looks after', ({ tasks }) => tasks);
    gauge('buildkit_steps_running', 'Steps that are executed now', ({ running }) => running);
    gauge('buildkit_steps_queued', 'Steps that wait for max-parallelism', ({ waiting }) => waiting);
  }

  #totals(engine: Observed): void {
    const total = (name: string, help: string, read: (stats: EngineStats) => number): void => {
      new Counter({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.reset();
          this.inc(read(engine.stats()));
        },
      });
    };
    total('buildkit_registry_pulled_bytes_total', 'Bytes of blobs from registries', ({ pulled }) => pulled);
    total('buildkit_registry_pushed_bytes_total', 'Bytes of blobs to registries', ({ pushed }) => pushed);
    total('buildkit_gc_runs_total', 'Garbage collections', ({ collected }) => collected.runs);
    total('buildkit_gc_records_total', 'Records that were collected', ({ collected }) => collected.records);
    total('buildkit_gc_bytes_total', 'Bytes that were collected', ({ collected }) => collected.bytes);
  }
}
