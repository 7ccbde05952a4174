/** The rules of each worker, by the section of the configuration that is about it. May be read again. */
import { statfs } from 'node:fs/promises';
import type { GcRule, Kv, Worker } from '../contracts/index.js';
import type { LastRun } from '../control/collector.js';
import type { GcConfig } from './config/gc-schema.js';
import type { EngineConfig } from './config/load.js';
import { gcRules } from './gc-rules.js';
import type { WorkerSet } from './worker-set.js';

const byDefault: GcConfig = { gc: true };

export class GcSettings {
  readonly #workers: WorkerSet;
  readonly #diskBytes: number;
  #config: EngineConfig;

  private constructor(workers: WorkerSet, diskBytes: number, config: EngineConfig) {
    this.#workers = workers;
    this.#diskBytes = diskBytes;
    this.#config = config;
  }

  /** `folder`: what lies on the disk that percentages are of. */
  static async open(workers: WorkerSet, folder: string, config: EngineConfig): Promise<GcSettings> {
    const { bsize, blocks } = await statfs(folder);
    return new GcSettings(workers, bsize * blocks, config);
  }

  use(config: EngineConfig): void {
    this.#config = config;
  }

  rulesOf(worker: Worker): readonly GcRule[] {
    return gcRules(this.#sectionOf(this.#workers.pluginOf(worker)), this.#diskBytes);
  }

  /** Workers of other plugins have the default rules. */
  #sectionOf(plugin: string | undefined): GcConfig {
    const { oci, containerd } = this.#config.settings.worker;
    const sections: Readonly<Record<string, GcConfig | undefined>> = { runc: oci, containerd };
    return sections[plugin ?? ''] ?? byDefault;
  }
}

/** When garbage was collected last, whichever process did it. */
export function lastRunIn(kv: Kv): LastRun {
  const table = kv.table<number>('gc');
  return {
    get: () => table.get('last-run'),
    set: (at) => kv.write((batch) => batch.put(table, 'last-run', at)),
  };
}
