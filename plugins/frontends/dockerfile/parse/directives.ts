/**
 * Parser directives: comments of the form `# name=value` at the very top of the file, each at most once.
 * Anything else ends them. BuildKit: frontend/dockerfile/parser/directives.go.
 */
import { syntaxError } from '../located.js';

const known = new Set(['syntax', 'escape', 'check']);

export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

export class DirectiveReader {
  readonly #pattern: RegExp;
  readonly #seen = new Set<string>();
  #line: number;
  #done = false;

  constructor(comment: '#' | '//' = '#', firstLine = 1) {
    this.#pattern = new RegExp(`^${comment}\\s*([a-zA-Z][a-zA-Z0-9]*)\\s*=\\s*(.+?)\\s*$`);
    this.#line = firstLine - 1;
  }

  get done(): boolean {
    return this.#done;
  }

  read(line: string): Directive | undefined {
    this.#line++;
    if (this.#done) return undefined;
    const match = this.#pattern.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (!match || name === undefined || !known.has(name)) {
      this.#done = true;
      return undefined;
    }
    if (this.#seen.has(name)) throw syntaxError(`only one ${name} parser directive can be used`);
    this.#seen.add(name);
    return { name, value: match[2] ?? '', line: this.#line };
  }
}

/**
 * The syntax that a file asks for: `# syntax=`, `// syntax=` or JSON with a `syntax` member, behind an optional
 * byte order mark and `#!` line.
 */
export function detectSyntax(text: string): Directive | undefined {
  const { body, firstLine } = withoutShebang(text);
  return (
    findIn(body, 'syntax', '#', firstLine) ??
    findIn(body, 'syntax', '//', firstLine) ??
    jsonSyntax(body, firstLine - 1)
  );
}

/** A directive of a file that is not parsed yet. */
export function findDirective(text: string, name: string): Directive | undefined {
  const { body, firstLine } = withoutShebang(text);
  return findIn(body, name, '#', firstLine);
}

function withoutShebang(text: string): { readonly body: string; readonly firstLine: number } {
  const plain = text.replace(/^\uFEFF/, '');
  const shebang = plain.startsWith('#!') ? plain.split('\n', 1)[0]!.length + 1 : 0;
  return { body: plain.slice(shebang), firstLine: shebang > 0 ? 2 : 1 };
}

function findIn(text: string, name: string, comment: '#' | '//', firstLine: number): Directive | undefined {
  const reader = new DirectiveReader(comment, firstLine);
  try {
    for (let at = 0; at <= text.length; ) {
      const newline = text.indexOf('\n', at);
      const end = newline < 0 ? text.length : newline;
      const directive = reader.read(text.slice(at, end).replace(/\r$/, ''));
      if (directive?.name === name) return directive;
      if (reader.done) return undefined;
      at = end + 1;
    }
  } catch {
    // A directive given twice is reported when the file is parsed.
  }
  return undefined;
}

function jsonSyntax(text: string, line: number): Directive | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const { syntax } = JSON.parse(text) as { syntax?: unknown };
    return typeof syntax === 'string' ? { name: 'syntax', value: syntax, line } : undefined;
  } catch {
    return undefined;
  }
}
