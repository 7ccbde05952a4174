/**
 * Network namespaces with CNI networks in them. Each is on record in a file while it exists, since what plugins keep
 * elsewhere (addresses, firewall rules) outlives the namespace: a start after a crash gives it back.
 */
import { constants, existsSync, statfsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Threads } from '../../../../../core/contracts/threads.js';
import { newId } from '../../../../../core/util/identity.js';
import { unmount } from '../../../../../core/util/linux/mount.js';
import { type CniNetwork, loopback } from './cni-config.js';
import type { CniPlace, CniPlugins, CniResult } from './cni-plugin.js';
import type { MakeNamespaceArgs } from './make-namespace.task.js';

const makeNamespace = new URL('./make-namespace.task.js', import.meta.url);
const RECORD = '.json';

export interface CniNamespace {
  readonly id: string;
  /** For runtimes: a mount need not be seen where they are started, a descriptor is. */
  readonly path: string;
}

interface Held {
  readonly record: NamespaceRecord;
  readonly handle: fs.FileHandle;
}

interface NamespaceRecord {
  readonly id: string;
  readonly args: string;
  /** With what has been added to it, in that order. */
  readonly networks: readonly { readonly network: CniNetwork; readonly result?: CniResult }[];
}

export interface CniNamespacesOptions {
  /** A folder of this object's own. */
  readonly dir: string;
  readonly network: CniNetwork;
  readonly plugins: CniPlugins;
  readonly threads: Threads;
}

const never = new AbortController().signal;

export class CniNamespaces {
  readonly #options: CniNamespacesOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: CniNamespacesOptions) {
    this.#options = options;
  }

  /** Gives back what an earlier process has left. Answers what could not be. */
  async sweep(): Promise<readonly unknown[]> {
    const { dir } = this.#options;
    await fs.mkdir(dir, { recursive: true, mode: 0o700 });
    const failures: unknown[] = [];
    for (const name of (await fs.readdir(dir)).filter((each) => each.endsWith(RECORD))) {
      try {
        const record = JSON.parse(await fs.readFile(path.join(dir, name), 'utf8')) as NamespaceRecord;
        await this.#removeNetworks(record);
      } catch (error) {
        failures.push(error);
      }
      await this.#removeFiles(name.slice(0, -RECORD.length));
    }
    return failures;
  }

  /** `hostname` is for plugins that give names to addresses. */
  async make(hostname: string): Promise<CniNamespace> {
    const { network, threads, plugins } = this.#options;
    const id = newId();
    // Kubernetes' name of it is the one that plugins know; others must be told not to mind.
    const args = hostname === '' ? '' : `IgnoreUnknown=1;K8S_POD_NAME=${hostname}`;
    let record: NamespaceRecord = { id, args, networks: [] };
    try {
      await this.#write(record);
      const task: MakeNamespaceArgs = { file: this.#file(id) };
      await threads.run<void>(makeNamespace, task, { signal: never });
      for (const each of [loopback, network]) {
        // Before it is there: a plugin that fails half-way has left something, too.
        await this.#write({ ...record, networks: [...record.networks, { network: each }] });
        const result = await plugins.add(each, this.#place(record));
        record = {
          ...record,
          networks: [...record.networks, { network: each, ...(result ? { result } : {}) }],
        };
      }
      await this.#write(record);
    } catch (error) {
      const begun = { ...record, networks: [...record.networks, { network }] };
      await this.#forget(begun).catch(() => {
        // What made it fail is what is told.
      });
      throw error;
    }
    const handle = await fs.open(this.#file(id), constants.O_RDONLY);
    this.#held.set(id, { record, handle });
    return { id, path: `/proc/${process.pid}/fd/${handle.fd}` };
  }

  async remove({ id }: CniNamespace): Promise<void> {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    await held.handle.close();
    await this.#forget(held.record);
  }

  /** What the plugins could not take away stays on record. */
  async #forget(record: NamespaceRecord): Promise<void> {
    await this.#removeNetworks(record);
    await this.#removeFiles(record.id);
  }

  async #removeNetworks(record: NamespaceRecord): Promise<void> {
    const place = this.#place(record);
    for (const { network, result } of [...record.networks].reverse()) {
      // Without its namespace there is no loopback to take down, and its plugin does not take that.
      if (place.netns === '' && network.name === loopback.name) continue;
      await this.#options.plugins.remove(network, place, result);
    }
  }

  async #removeFiles(id: string): Promise<void> {
    const file = this.#file(id);
    if (isNamespace(file)) unmount(file, { detach: true });
    await fs.rm(file, { force: true });
    await fs.rm(file + RECORD, { force: true });
  }

  async #write(record: NamespaceRecord): Promise<void> {
    await fs.writeFile(this.#file(record.id) + RECORD, JSON.stringify(record), { mode: 0o600 });
  }

  /** After a reboot only the file is there, and no namespace. */
  #place({ id, args }: NamespaceRecord): CniPlace {
    const file = this.#file(id);
    return { containerId: id, netns: isNamespace(file) ? file : '', args };
  }

  #file(id: string): string {
    return path.join(this.#options.dir, id);
  }
}

function isNamespace(file: string): boolean {
  const NSFS_MAGIC = 0x6e736673;
  return existsSync(file) && statfsSync(file).type === NSFS_MAGIC;
}
