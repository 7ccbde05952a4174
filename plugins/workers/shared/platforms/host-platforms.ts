/**
 * What this machine runs: itself with its variants, the 32 bit mode its kernel may have, and what is emulated.
 * BuildKit: util/archutil. Emulators are often registered after the daemon has started, so they are looked up again.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  defaultPlatform,
  normalizePlatform,
  type Platform,
  samePlatform,
} from '../../../../core/util/platform.js';
import { amd64Variants } from './amd64-level.js';
import { type BinfmtEntry, binfmtEntries, emulates } from './binfmt.js';
import { elfTargets, exitProgram } from './elf.js';

const compatible: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

export interface PlatformFacts {
  readonly native: Platform;
  /** The text of /proc/cpuinfo. */
  readonly cpuinfo: string;
  /** The 32 bit architecture that the kernel runs without an emulator. */
  readonly compat: string | undefined;
  readonly binfmt: readonly BinfmtEntry[];
}

export function platformsFrom({ native, cpuinfo, compat, binfmt }: PlatformFacts): Platform[] {
  const linux = (architecture: string, variant?: string): Platform =>
    normalizePlatform({ os: 'linux', architecture, ...(variant ? { variant } : {}) });
  const found = [native];
  for (const target of elfTargets) {
    const { arch } = target;
    const isNative = arch === native.architecture;
    if (!isNative && arch !== compat && !binfmt.some((entry) => emulates(entry, target))) continue;
    if (!isNative) found.push(linux(arch));
    if (isNative && arch === 'amd64')
      found.push(...amd64Variants(cpuinfo).map((level) => linux(arch, level)));
    if (arch === 'arm' && (!isNative || native.variant === 'v7')) found.push(linux(arch, 'v6'));
  }
  return found.filter((platform, at) => found.findIndex((other) => samePlatform(other, platform)) === at);
}

export class HostPlatforms {
  readonly #compat: string | undefined;
  readonly #maxAgeMs: number;
  readonly #cpuinfo = fs.readFileSync('/proc/cpuinfo', 'utf8');
  #list: readonly Platform[] = [];
  #since = Number.NEGATIVE_INFINITY;

  /** `dir` takes a small program for a moment; after `maxAgeMs` emulators are looked up again, if it is not negative. */
  static async detect(dir: string, maxAgeMs: number): Promise<HostPlatforms> {
    const compat = compatible[defaultPlatform().architecture];
    const works = compat !== undefined && (await runs(compat, dir));
    return new HostPlatforms(works ? compat : undefined, maxAgeMs);
  }

  private constructor(compat: string | undefined, maxAgeMs: number) {
    this.#compat = compat;
    this.#maxAgeMs = maxAgeMs;
  }

  list(now: number = performance.now(), binfmt = binfmtEntries): readonly Platform[] {
    const fresh = this.#maxAgeMs < 0 || now - this.#since < this.#maxAgeMs;
    if (fresh && this.#list.length > 0) return this.#list;
    this.#since = now;
    this.#list = platformsFrom({
      native: defaultPlatform(),
      cpuinfo: this.#cpuinfo,
      compat: this.#compat,
      binfmt: binfmt(),
    });
    return this.#list;
  }
}

async function runs(arch: string, dir: string): Promise<boolean> {
  const file = path.join(dir, `exit-${arch}-${process.pid}`);
  await fs.promises.writeFile(file, exitProgram(elfTargets.find((target) => target.arch === arch)!), {
    mode: 0o700,
  });
  try {
    await promisify(execFile)(file);
    return true;
  } catch {
    // Whatever the kernel says to it, it does not run it.
    return false;
  } finally {
    await fs.promises.rm(file, { force: true });
  }
}
