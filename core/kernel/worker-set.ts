/** The workers of an engine: what worker plugins bound, completed with what every worker has in common. */
import { BuildError, type PluginStatus, type Worker, type Workers } from '../contracts/index.js';

export class WorkerSet implements Workers {
  readonly #workers: Worker[] = [];
  readonly #pluginIds = new Map<Worker, string>();
  readonly #plugins: () => readonly PluginStatus[];

  /** `plugins` explains why there is no worker. */
  constructor(plugins: () => readonly PluginStatus[]) {
    this.#plugins = plugins;
  }

  get list(): readonly Worker[] {
    return this.#workers;
  }

  /** `plugin`: the id of the plugin that it is of. */
  add(worker: Worker, plugin: string): void {
    this.#workers.push(worker);
    this.#pluginIds.set(worker, plugin);
  }

  pluginOf(worker: Worker): string | undefined {
    return this.#pluginIds.get(worker);
  }

  get(id: string): Worker | undefined {
    return this.#workers.find(({ profile }) => profile.id === id);
  }

  default(): Worker {
    const [first] = this.#workers;
    if (first) return first;
    const reasons = this.#plugins()
      .filter(({ kind }) => kind === 'worker')
      .map(({ id, status }) => `${id}: ${reasonOf(status)}`);
    throw new BuildError(
      'worker.none',
      `no worker can run builds here (${reasons.join('; ') || 'none is installed'})`,
      {
        grpcCode: 'FailedPrecondition',
      },
    );
  }
}

function reasonOf(status: PluginStatus['status']): string {
  switch (status.state) {
    case 'skipped':
      return status.reason;
    case 'failed':
      return status.error.message;
    default:
      return status.state;
  }
}
