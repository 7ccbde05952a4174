import { invalid, unsupported } from '../../../core/contracts/errors.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { didYouMean } from '../../../core/util/nearest.js';

/** Reads an exporter's attributes one by one; `finish` then refuses what nobody asked for. */
export class AttributeReader {
  readonly #exporter: string;
  readonly #attrs: Readonly<Record<string, string>>;
  readonly #known = new Set<string>();

  constructor(exporter: string, attrs: Readonly<Record<string, string>>) {
    this.#exporter = exporter;
    this.#attrs = attrs;
  }

  text(name: string): string | undefined {
    this.#known.add(name);
    return this.#attrs[name];
  }

  /** In any of Go's spellings; a bare `name` counts as `whenEmpty`. */
  boolean(name: string, whenEmpty = true): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text === '') return whenEmpty;
    const value = parseGoBool(text);
    if (value === undefined) throw this.bad(name, text, 'true or false');
    return value;
  }

  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined || text === '') return undefined;
    if (!/^[+-]?\d{1,15}$/.test(text)) throw this.bad(name, text, 'a whole number');
    return Number(text);
  }

  oneOf<const T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined || text === '') return undefined;
    const found = values.find((value) => value === text);
    if (found === undefined) throw this.bad(name, text, `${values.join(', ')}${didYouMean(text, values)}`);
    return found;
  }

  /** Every attribute whose name matches. */
  matching(pattern: RegExp): readonly (readonly [match: RegExpExecArray, value: string])[] {
    return Object.entries(this.#attrs).flatMap(([name, value]) => {
      const match = pattern.exec(name);
      if (!match) return [];
      this.#known.add(name);
      return [[match, value] as const];
    });
  }

  /** Known to BuildKit, not served here: refused when given a value that would change something. */
  notYet(name: string, harmless: readonly string[] = []): void {
    const text = this.text(name);
    if (text === undefined || harmless.includes(text)) return;
    throw unsupported(
      'exporter.unsupported-attribute',
      `${this.#exporter} exporter: ${name}=${text} is not supported yet`,
    );
  }

  finish(): void {
    const unknown = Object.keys(this.#attrs).find((name) => !this.#known.has(name));
    if (unknown === undefined) return;
    throw invalid(
      'exporter.unknown-attribute',
      `${this.#exporter} exporter: unknown attribute "${unknown}"${didYouMean(unknown, this.#known)}`,
    );
  }

  bad(name: string, value: string, expected: string): Error {
    return invalid(
      'exporter.bad-attribute',
      `${this.#exporter} exporter: invalid value "${value}" for ${name}: expected ${expected}`,
    );
  }
}
