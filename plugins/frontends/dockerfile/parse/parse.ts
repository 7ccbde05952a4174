/**
 * Dockerfile text to nodes: directives, comments, continued lines and heredocs.
 * BuildKit: frontend/dockerfile/parser/parser.go.
 */
import { lineRanges, locate, syntaxError } from '../located.js';
import { DirectiveReader } from './directives.js';
import { type Heredoc, type HeredocStart, heredocStarts } from './heredoc.js';
import { type Node, nodeAt, parseLine, takesHeredocs } from './node.js';

export interface ParsedFile {
  readonly nodes: readonly Node[];
  readonly escapeToken: string;
  /** Lines on which an instruction was continued over an empty line. */
  readonly emptyContinuations: readonly number[];
}

export const parse = (text: string): ParsedFile => new FileParser(text).parse();

class FileParser {
  /** With their line ends, which heredocs keep. */
  readonly #lines: readonly string[];
  readonly #directives = new DirectiveReader();
  readonly #nodes: Node[] = [];
  readonly #emptyContinuations: number[] = [];
  #comments: string[] = [];
  #escapeToken = '\\';
  #continuation = continuationPattern('\\');
  /** How many lines have been taken; so also the number of the last one taken. */
  #taken = 0;

  constructor(text: string) {
    this.#lines = text.replace(/^\uFEFF/, '').match(/[^\n]*\n|[^\n]+$/g) ?? [];
  }

  parse(): ParsedFile {
    while (this.#taken < this.#lines.length) this.#instruction();
    if (this.#nodes.length === 0) {
      throw atLines(Math.max(this.#taken, 1), 0, () => {
        throw syntaxError('file with no instructions');
      });
    }
    return {
      nodes: this.#nodes,
      escapeToken: this.#escapeToken,
      emptyContinuations: this.#emptyContinuations,
    };
  }

  #next(): string | undefined {
    const line = this.#lines[this.#taken];
    if (line !== undefined) this.#taken++;
    return line;
  }

  /** One instruction with its continuation lines and heredocs, or a comment, or nothing. */
  #instruction(): void {
    const raw = this.#next() ?? '';
    const first = this.#taken;
    const line = this.#process(raw.trimStart());
    const cut = this.#cut(line);
    if (line === '' && cut === undefined) return;
    const whole = cut === undefined ? line : cut + this.#continuations();
    try {
      const node = parseLine(whole, this.#escapeToken);
      const heredocs =
        takesHeredocs(node, this.#escapeToken) && whole.includes('<<') ? this.#heredocs(whole) : [];
      this.#nodes.push(nodeAt(node, heredocs, this.#comments, lineRanges(first, this.#taken)));
    } catch (error) {
      throw locate(error, lineRanges(first, this.#taken));
    }
    this.#comments = [];
  }

  /** Takes directives and comments out of a line. */
  #process(line: string): string {
    const plain = trimLineEnd(line);
    if (this.#directives.done && !plain.startsWith('#')) return plain;
    const directive = atLines(this.#taken, 0, () => this.#directives.read(plain));
    if (directive?.name === 'escape') this.#setEscape(directive.value);
    if (!plain.startsWith('#')) return plain;
    const comment = plain.slice(1).trim();
    if (comment === '') this.#comments = [];
    else if (!directive) this.#comments.push(comment);
    return '';
  }

  #setEscape(escapeToken: string): void {
    if (escapeToken !== '\\' && escapeToken !== '`') {
      atLines(this.#taken, 0, () => {
        throw syntaxError(`invalid escape token '${escapeToken}' does not match \` or \\`);
      });
    }
    this.#escapeToken = escapeToken;
    this.#continuation = continuationPattern(escapeToken);
  }

  /** What stands before the escape character at the end of a line that goes on; undefined for others. */
  #cut(line: string): string | undefined {
    const match = line.includes(this.#escapeToken) ? this.#continuation.exec(line) : undefined;
    return match ? line.slice(0, match.index) + (match[1] ?? '') : undefined;
  }

  /** Comments between continuation lines are skipped, and so are empty lines, for old times' sake. */
  #continuations(): string {
    let whole = '';
    let sawEmpty = false;
    for (let raw = this.#next(); raw !== undefined; raw = this.#next()) {
      const line = trimLineEnd(raw);
      this.#directives.read(line);
      const first = raw.trimStart();
      if (first.startsWith('#')) continue;
      if (first === '') {
        sawEmpty = true;
        continue;
      }
      const cut = this.#cut(line);
      whole += cut ?? line;
      if (cut === undefined) break;
    }
    if (sawEmpty) this.#emptyContinuations.push(this.#taken);
    return whole;
  }

  #heredocs(line: string): Heredoc[] {
    return heredocStarts(line).map((start) => ({ ...start, content: this.#heredocContent(start) }));
  }

  #heredocContent(start: HeredocStart): string {
    let content = '';
    for (let raw = this.#next(); raw !== undefined; raw = this.#next()) {
      const line = trimLineEnd(raw);
      if ((start.chomp ? line.replace(/^\t+/, '') : line) === start.name) return content;
      content += raw;
    }
    throw syntaxError('unterminated heredoc', `no line below it is just ${start.name}`);
  }
}

/** Errors of `work` are about these lines. */
function atLines<T>(first: number, last: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw locate(error, lineRanges(first, last));
  }
}

/** Without carriage returns and newlines at the end. */
function trimLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === '\n' || line[end - 1] === '\r')) end--;
  return line.slice(0, end);
}

/** The escape character at the end of a line, unless it is itself escaped. */
const continuationPattern = (escapeToken: string): RegExp => {
  const token = escapeToken === '\\' ? '\\\\' : '`';
  return new RegExp(`([^${token}])${token}[ \\t]*$|^${token}[ \\t]*$`, 'u');
};
