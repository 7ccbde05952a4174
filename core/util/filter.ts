/**
 * containerd's filter language, as used for worker constraints and list filters: selectors joined by `,` must all
 * hold, `field`, `field==value`, `field!=value`, `field~=regexp`. A field is a dotted path whose parts may be
 * quoted: `labels."example.com/arch"==amd64`. containerd: pkg/filters.
 */
export type FieldLookup = (path: readonly string[]) => string | undefined;
export type Filter = (lookup: FieldLookup) => boolean;

/** Throws an Error naming the position. */
export function parseFilter(text: string): Filter {
  const scanner = new Scanner(text);
  const selectors: Filter[] = [];
  if (text.trim() === '') return () => true;
  do selectors.push(selector(scanner));
  while (scanner.accept(','));
  scanner.end();
  return (lookup) => selectors.every((matches) => matches(lookup));
}

/** True when any of the filters holds; no filters hold always. */
export function matchesAny(filters: readonly Filter[], lookup: FieldLookup): boolean {
  return filters.length === 0 || filters.some((matches) => matches(lookup));
}

function selector(scanner: Scanner): Filter {
  const path = [scanner.part('field')];
  while (scanner.accept('.')) path.push(scanner.part('field'));
  const operator = ['==', '!=', '~='].find((candidate) => scanner.accept(candidate));
  if (operator === undefined) return (lookup) => lookup(path) !== undefined;
  const value = scanner.part('value');
  if (operator === '==') return (lookup) => lookup(path) === value;
  if (operator === '!=') return (lookup) => lookup(path) !== value;
  const pattern = scanner.pattern(value);
  return (lookup) => pattern.test(lookup(path) ?? '');
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  accept(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  /** A quoted string, or what stands up to the next separator. */
  part(kind: 'field' | 'value'): string {
    const rest = this.#text.slice(this.#at);
    const quoted = /^(?:"(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)*\/|\|(?:[^|\\]|\\.)*\|)/.exec(rest);
    const bare = kind === 'field' ? /^[A-Za-z0-9_-]+/.exec(rest) : /^[^\s,"]+/.exec(rest);
    const found = quoted?.[0] ?? bare?.[0];
    if (found === undefined) throw this.#error(`expected a ${kind}`);
    this.#at += found.length;
    return quoted ? found.slice(1, -1).replace(/\\(.)/g, '$1') : found;
  }

  pattern(text: string): RegExp {
    try {
      return new RegExp(text);
    } catch (cause) {
      throw this.#error(`"${text}" is not a regular expression`, cause);
    }
  }

  end(): void {
    if (this.#at < this.#text.length) throw this.#error('expected "," or the end');
  }

  #error(problem: string, cause?: unknown): Error {
    return new Error(`filter "${this.#text}": ${problem} at character ${this.#at + 1}`, { cause });
  }
}
