/**
 * The descriptions in some folders, read again when they change. A device of a later folder wins over one of the
 * same name in an earlier one; two in one folder are an ambiguity, and neither is offered.
 * CDI: pkg/cdi/spec-dirs.go, cache.go.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, invalid } from '../contracts/errors.js';
import type { Logger } from '../contracts/logger.js';
import { compareBytes } from '../util/compare.js';
import { isErrno } from '../util/linux/system-error.js';
import { type DescribedEdits, type DeviceDescription, parseDescription } from './description.js';

export interface DescribedDevice {
  /** `vendor/class=name`. */
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly edits: DescribedEdits;
  /** Edits for whoever has any device of the file, and what tells files apart. */
  readonly file: { readonly path: string; readonly edits: DescribedEdits };
}

export class DeviceFiles {
  readonly #folders: readonly string[];
  readonly #logger: Logger;
  /** Paths, sizes and times of what `#devices` were read from. */
  #seen: string | undefined;
  #devices: ReadonlyMap<string, DescribedDevice> = new Map();

  constructor(folders: readonly string[], logger: Logger) {
    this.#folders = folders;
    this.#logger = logger;
  }

  /** Sorted by name. */
  devices(): ReadonlyMap<string, DescribedDevice> {
    const found = this.#folders.map((folder) => this.#list(folder));
    const seen = found
      .flat()
      .map(({ stamp }) => stamp)
      .join('\n');
    if (seen !== this.#seen) {
      this.#devices = this.#read(found.map((files) => files.map(({ path }) => path)));
      this.#seen = seen;
    }
    return this.#devices;
  }

  #list(folder: string): { readonly path: string; readonly stamp: string }[] {
    try {
      const names = readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name));
      return names.sort(compareBytes).flatMap((name) => {
        const path = join(folder, name);
        const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
        if (!stat?.isFile()) return [];
        return [{ path, stamp: `${path} ${stat.ino} ${stat.size} ${stat.mtimeNs}` }];
      });
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      this.#warn(BuildError.from(error).wrap(`devices of ${folder}`));
      return [];
    }
  }

  #read(folders: readonly (readonly string[])[]): ReadonlyMap<string, DescribedDevice> {
    const all = new Map<string, DescribedDevice>();
    for (const files of folders) {
      for (const [name, device] of this.#readFolder(files)) {
        if (device) all.set(name, device);
        else all.delete(name);
      }
    }
    return new Map([...all].sort(([a], [b]) => compareBytes(a, b)));
  }

  /** undefined for names that stand in two of the files. */
  #readFolder(files: readonly string[]): ReadonlyMap<string, DescribedDevice | undefined> {
    const found = new Map<string, DescribedDevice | undefined>();
    for (const path of files) {
      for (const device of this.#readFile(path)) {
        const other = found.get(device.name);
        if (other)
          this.#warn(invalid('devices.conflict', `${device.name} stands in ${other.file.path} and ${path}`));
        found.set(device.name, found.has(device.name) ? undefined : device);
      }
    }
    return found;
  }

  #readFile(path: string): readonly DescribedDevice[] {
    try {
      return devicesOf(parseDescription(readFileSync(path, 'utf8'), path), path);
    } catch (error) {
      // Gone since the folder was listed: the next look finds that.
      if (!isErrno(error, 'ENOENT')) this.#warn(error);
      return [];
    }
  }

  /** One bad file takes no device of another away. */
  #warn(error: unknown): void {
    this.#logger.warn('a description of devices is left out', { err: error });
  }
}

function devicesOf(described: DeviceDescription, path: string): DescribedDevice[] {
  const file = { path, edits: described.containerEdits ?? {} };
  return described.devices.map(({ name, annotations, containerEdits: edits }) => ({
    name: `${described.kind}=${name}`,
    annotations: { ...described.annotations, ...annotations },
    edits,
    file,
  }));
}
