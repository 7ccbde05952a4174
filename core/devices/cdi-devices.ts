/** Devices by the rules of the Container Device Interface. BuildKit: solver/llbsolver/cdidevices/manager.go. */
import type { ContainerEdits, DeviceInfo, Devices, DeviceWish } from '../contracts/devices.js';
import { notFound } from '../contracts/errors.js';
import type { Logger } from '../contracts/logger.js';
import { parseGoBool } from '../util/go-bool.js';
import { didYouMean } from '../util/nearest.js';
import { type DescribedDevice, DeviceFiles } from './device-files.js';
import { joinEdits } from './join-edits.js';

const ANNOTATION = 'org.mobyproject.buildkit.device.';

export interface CdiOptions {
  /** Later ones win. */
  readonly folders: readonly string[];
  /** Devices, or kinds (`vendor/class`), that need no grant. */
  readonly autoAllowed: readonly string[];
}

export class CdiDevices implements Devices {
  readonly #files: DeviceFiles;
  readonly #autoAllowed: ReadonlySet<string>;

  constructor({ folders, autoAllowed }: CdiOptions, logger: Logger) {
    this.#files = new DeviceFiles(folders, logger);
    this.#autoAllowed = new Set(autoAllowed);
  }

  list(): readonly DeviceInfo[] {
    return [...this.#files.devices().values()].map(({ name, annotations }) => ({
      name,
      annotations,
      autoAllow: this.#isAutoAllowed(name, annotations),
    }));
  }

  resolve(wishes: readonly DeviceWish[]): readonly string[] {
    if (wishes.length === 0) return [];
    const known = [...this.#files.devices().values()];
    const names = wishes.flatMap((wish) => {
      const found = matching(wish.name, known);
      if (found.length > 0 || wish.optional) return found;
      throw missing(wish.name, known);
    });
    return [...new Set(names)];
  }

  edits(names: readonly string[]): ContainerEdits {
    const devices = this.#files.devices();
    return joinEdits(
      names.map((name) => {
        const device = devices.get(name);
        if (!device) throw missing(name, [...devices.values()]);
        return device;
      }),
    );
  }

  #isAutoAllowed(name: string, annotations: DescribedDevice['annotations']): boolean {
    if (this.#autoAllowed.has(name) || this.#autoAllowed.has(kindOf(name))) return true;
    return parseGoBool(annotations[`${ANNOTATION}autoallow`] ?? '') === true;
  }
}

const kindOf = (name: string): string => name.split('=', 1)[0]!;

function matching(wanted: string, known: readonly DescribedDevice[]): string[] {
  const [kind = '', ...rest] = wanted.split('=');
  const name = rest.join('=');
  const ofKind = known.filter((device) => device.name.startsWith(`${kind}=`)).map((device) => device.name);
  const named =
    name === '' ? ofKind.slice(0, 1) : name === '*' ? ofKind : ofKind.filter((device) => device === wanted);
  if (/.\/./.test(kind) && named.length > 0) return named;
  return known
    .filter(({ annotations }) => annotations[`${ANNOTATION}class`] === wanted)
    .map((device) => device.name);
}

const missing = (name: string, known: readonly DescribedDevice[]): Error =>
  notFound(
    'devices.missing',
    `required device "${name}" is not registered${didYouMean(
      name,
      known.flatMap((device) => [device.name, kindOf(device.name)]),
    )}`,
    { hint: 'buildctl debug workers -v lists the devices of the daemon.' },
  );
