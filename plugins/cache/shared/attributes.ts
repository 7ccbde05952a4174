/** Attributes of cache backends, read one by one; `finish` then refuses what nobody asked for. */
import type { CacheExport } from '../../../core/contracts/cache.js';
import type { Compression, CompressionOptions } from '../../../core/contracts/differ.js';
import { invalid } from '../../../core/contracts/errors.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { parseGoDuration } from '../../../core/util/go-duration.js';
import { didYouMean } from '../../../core/util/nearest.js';

export type Attributes = Readonly<Record<string, string>>;

export class CacheAttributes {
  readonly #backend: string;
  readonly #attrs: Attributes;
  readonly #known = new Set<string>();

  constructor(backend: string, attrs: Attributes) {
    this.#backend = backend;
    this.#attrs = attrs;
  }

  /** An empty one is none. */
  text(name: string): string | undefined {
    this.#known.add(name);
    return this.#attrs[name] || undefined;
  }

  /** Separated by semicolons, for commas separate attributes; each once. */
  list(name: string): readonly string[] {
    const parts = (this.text(name) ?? '').split(';').map((part) => part.trim());
    return [...new Set(parts.filter((part) => part !== ''))];
  }

  required(name: string): string {
    const text = this.text(name);
    if (text !== undefined) return text;
    throw invalid('cache.attribute', `${this.#backend} cache requires ${name}`);
  }

  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parseGoBool(text);
    if (value === undefined) throw this.bad(name, text, 'true or false');
    return value;
  }

  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw this.bad(name, text, `${min} to ${max}`);
    return value;
  }

  /** Milliseconds. */
  duration(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parseGoDuration(text);
    if (value === undefined) throw this.bad(name, text, 'a duration like 10m or 24h');
    return value;
  }

  oneOf<const T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = values.find((value) => value === text);
    if (found === undefined) throw this.bad(name, text, `${values.join(', ')}${didYouMean(text, values)}`);
    return found;
  }

  /** Attributes that mean something to the other direction only: clients pass one list for both. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#known.add(name);
  }

  finish(): void {
    const unknown = Object.keys(this.#attrs).find((name) => !this.#known.has(name));
    if (unknown === undefined) return;
    throw invalid(
      'cache.attribute',
      `${this.#backend} cache: unknown attribute "${unknown}"${didYouMean(unknown, this.#known)}`,
    );
  }

  bad(name: string, value: string, expected: string): Error {
    return invalid(
      'cache.attribute',
      `${this.#backend} cache: invalid value "${value}" for ${name}: expected ${expected}`,
    );
  }
}

/** What only exports are asked for. */
export const exportOnly = ['mode', 'ignore-error', 'on-failure', 'every', 'mounts'] as const;

export type CommonExport = Required<Pick<CacheExport, 'mode' | 'ignoreError' | 'compression' | 'mounts'>> &
  Pick<CacheExport, 'onFailure' | 'every'>;

/** What every backend that exports takes. */
export const readCommonExport = (attrs: CacheAttributes): CommonExport => ({
  mode: attrs.oneOf('mode', ['min', 'max']) ?? 'min',
  ignoreError: attrs.boolean('ignore-error') ?? false,
  compression: readCompression(attrs),
  mounts: attrs.list('mounts'),
  onFailure: attrs.boolean('on-failure') ?? false,
  ...readEvery(attrs),
});

/** Milliseconds. */
const SHORTEST_EVERY = 1000;

function readEvery(attrs: CacheAttributes): Pick<CacheExport, 'every'> {
  const every = attrs.duration('every');
  if (every === undefined) return {};
  if (every < SHORTEST_EVERY)
    throw attrs.bad('every', attrs.text('every')!, 'a second or more, like 30s or 5m');
  return { every };
}

const compressions = ['uncompressed', 'gzip', 'zstd', 'estargz'] as const satisfies readonly Compression[];

function readCompression(attrs: CacheAttributes): CompressionOptions {
  const type = attrs.oneOf('compression', compressions) ?? 'gzip';
  const level = attrs.integer('compression-level', 0, type === 'zstd' ? 22 : 9);
  return {
    type,
    force: attrs.boolean('force-compression') ?? false,
    ...(level === undefined ? {} : { level }),
  };
}
