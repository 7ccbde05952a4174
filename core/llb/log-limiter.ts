/**
 * Keeps a step from flooding its watchers. Each stream of a step may send `maxSize` bytes in all and `maxSpeed`
 * bytes per begun second; what is above is clipped, and says so once per clipping. The newest clipped output is
 * kept and shown when the step fails, since that is where the reason stands. Wire facts E9.6.
 */
import type { Progress } from '../contracts/progress.js';

/** Bytes, and bytes per second; -1 = no limit. */
export interface LogLimits {
  readonly maxSize: number;
  readonly maxSpeed: number;
}

/** As `BUILDKIT_STEP_LOG_MAX_SIZE` and `BUILDKIT_STEP_LOG_MAX_SPEED` say; unreadable values count as absent. */
export function logLimits(env: Readonly<Record<string, string | undefined>>): LogLimits {
  const read = (name: string, fallback: number): number =>
    /^-?\d+$/.test(env[name] ?? '') ? Number(env[name]) : fallback;
  return {
    maxSize: read('BUILDKIT_STEP_LOG_MAX_SIZE', 2 * 1024 * 1024),
    maxSpeed: read('BUILDKIT_STEP_LOG_MAX_SPEED', 200 * 1024),
  };
}

const tailSize = 256 * 1024;

export class LimitedLog {
  readonly #progress: Progress;
  readonly #stream: 'stdout' | 'stderr';
  readonly #limits: LogLimits;
  readonly #now: () => number;
  readonly #created: number;
  #size = 0;
  #clipping = false;
  #tail: Tail | undefined;

  constructor(
    progress: Progress,
    stream: 'stdout' | 'stderr',
    limits: LogLimits,
    now: () => number = Date.now,
  ) {
    this.#progress = progress;
    this.#stream = stream;
    this.#limits = limits;
    this.#now = now;
    this.#created = now();
  }

  write(data: Uint8Array): void {
    const { allowed, reason } = this.#allowance(data.length);
    const clipped = allowed < data.length;
    if (clipped) this.#tail ??= new Tail(tailSize);
    this.#tail?.push(data);
    if (allowed > 0) this.#progress.log(this.#stream, clipped ? data.subarray(0, allowed) : data);
    if (clipped && !this.#clipping) this.#notice(reason);
    this.#clipping = clipped;
  }

  /** The step failed: show the end of what was clipped. */
  flushTail(): void {
    for (const chunk of this.#tail?.take() ?? []) this.#progress.log(this.#stream, chunk);
    this.#tail = undefined;
  }

  #allowance(length: number): { readonly allowed: number; readonly reason: string } {
    const before = this.#size;
    this.#size += length;
    const { maxSize, maxSpeed } = this.#limits;
    const seconds = Math.ceil((this.#now() - this.#created) / 1000) || 1;
    const bySpeed = maxSpeed === -1 ? Number.POSITIVE_INFINITY : seconds * maxSpeed;
    const bySize = maxSize === -1 ? Number.POSITIVE_INFINITY : maxSize;
    const reason = bySpeed < bySize ? `${formatBytes(maxSpeed)}/s` : formatBytes(maxSize);
    return { allowed: Math.max(0, Math.min(length, Math.min(bySpeed, bySize) - before)), reason };
  }

  #notice(reason: string): void {
    this.#progress.log(this.#stream, Buffer.from(`\n[output clipped, log limit ${reason} reached]\n`));
  }
}

/** The last `limit` bytes that were pushed. */
class Tail {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(data: Uint8Array): void {
    const chunk = data.subarray(Math.max(0, data.length - this.#limit)).slice();
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= this.#limit) {
      this.#size -= this.#chunks.shift()?.length ?? 0;
    }
  }

  take(): Uint8Array[] {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#size = 0;
    return all.length > 0 ? [all.subarray(Math.max(0, all.length - this.#limit))] : [];
  }
}

const units = ['B', 'KiB', 'MiB', 'GiB'] as const;

function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${bytes / 1024 ** power}${units[power]}`;
}
