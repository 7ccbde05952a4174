/**
 * Templates as trees: the part of Go's text/template that formats output. Definitions of further templates, `break` and
 * `continue` are refused by name.
 */
import { notInTemplates, templateError } from './errors.js';
import { splitTemplate, type Word, wordsOf } from './tokens.js';

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export interface Pipeline {
  /** `$a :=`, or `$key, $value :=` of a range; `=` sets variables that are there. */
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly commands: readonly Command[];
}

/** A function with its arguments, or one operand. */
export type Command = readonly [Operand, ...Operand[]];

export type Operand =
  | Exclude<Word, { kind: 'sign' }>
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] };

export function parseTemplate(template: string): Node[] {
  return new TemplateParser(template).all();
}

const blocks = ['if', 'with', 'range'] as const;
const refused = ['define', 'template', 'block', 'break', 'continue'];

class TemplateParser {
  readonly #pieces: (readonly Word[] | string)[];
  #at = 0;

  constructor(template: string) {
    this.#pieces = splitTemplate(template).map((piece) =>
      'text' in piece ? piece.text : wordsOf(piece.action),
    );
  }

  all(): Node[] {
    const [nodes, ended] = this.#nodes();
    if (ended) throw templateError(`an {{${ended}}} ends nothing`);
    return nodes;
  }

  /** Up to the `end` or `else` that is not part of a block; answers it, too. */
  #nodes(): [nodes: Node[], ended: string | undefined] {
    const nodes: Node[] = [];
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++]!;
      if (typeof piece === 'string') {
        if (piece !== '') nodes.push({ kind: 'text', text: piece });
        continue;
      }
      const word = keyword(piece);
      if (word === 'end' || word === 'else') return [nodes, word];
      nodes.push(this.#action(piece, word));
    }
    return [nodes, undefined];
  }

  #action(words: readonly Word[], word: string | undefined): Node {
    if (word !== undefined && refused.includes(word)) throw notInTemplates(`{{${word}}}`);
    const block = blocks.find((name) => name === word);
    if (!block) return { kind: 'print', pipeline: parsePipeline(words) };
    return this.#block(block, parsePipeline(words.slice(1)));
  }

  #block(kind: (typeof blocks)[number], pipeline: Pipeline): Node {
    const [body, ended] = this.#nodes();
    if (ended === undefined) throw templateError(`{{${kind}}} has no {{end}}`);
    return { kind, pipeline, body, otherwise: ended === 'else' ? this.#otherwise(kind) : [] };
  }

  /** `{{else}} … {{end}}`, or `{{else if …}}`, which ends with the whole. */
  #otherwise(kind: string): Node[] {
    const words = this.#pieces[this.#at - 1] as readonly Word[];
    const next = words[1];
    if (next?.kind === 'name' && (next.name === 'if' || next.name === 'with')) {
      return [this.#block(next.name, parsePipeline(words.slice(2)))];
    }
    if (next) throw templateError(`{{else}} of {{${kind}}} takes nothing but if or with`);
    const [nodes, ended] = this.#nodes();
    if (ended !== 'end') throw templateError(`{{${kind}}} has no {{end}}`);
    return nodes;
  }
}

const keyword = ([first]: readonly Word[]): string | undefined =>
  first?.kind === 'name' ? first.name : undefined;

const isSign = (word: Word | undefined, sign: string): boolean => word?.kind === 'sign' && word.sign === sign;

function parsePipeline(words: readonly Word[]): Pipeline {
  const parser = new PipelineParser(words);
  const pipeline = parser.pipeline();
  parser.expectEnd();
  return pipeline;
}

class PipelineParser {
  readonly #words: readonly Word[];
  #at = 0;

  constructor(words: readonly Word[]) {
    this.#words = words;
  }

  expectEnd(): void {
    const word = this.#words[this.#at];
    if (word) throw templateError(`unexpected ${word.kind === 'sign' ? `"${word.sign}"` : word.kind}`);
  }

  pipeline(): Pipeline {
    const [variables, declares] = this.#variables();
    const commands = [this.#command()];
    while (this.#take('|')) commands.push(this.#command());
    return { variables, declares, commands };
  }

  /** Only if `:=` or `=` follows; otherwise they are operands. */
  #variables(): [names: string[], declares: boolean] {
    const names: string[] = [];
    let at = this.#at;
    for (;;) {
      const word = this.#words[at];
      if (word?.kind !== 'variable' || word.path.length > 0) return [[], false];
      names.push(word.name);
      if (!isSign(this.#words[at + 1], ',')) break;
      at += 2;
    }
    const declares = isSign(this.#words[at + 1], ':=');
    if (!declares && !isSign(this.#words[at + 1], '=')) return [[], false];
    this.#at = at + 2;
    return [names, declares];
  }

  #command(): Command {
    const operands: Operand[] = [];
    for (;;) {
      const word = this.#words[this.#at];
      if (word === undefined || isSign(word, '|') || isSign(word, ')')) break;
      operands.push(this.#operand(word));
    }
    const [first, ...rest] = operands;
    if (first === undefined) throw templateError('an action or a part of it is empty');
    return [first, ...rest];
  }

  #operand(word: Word): Operand {
    this.#at++;
    if (word.kind !== 'sign') return word;
    if (word.sign !== '(') throw templateError(`unexpected "${word.sign}"`);
    const pipeline = this.pipeline();
    if (!this.#take(')')) throw templateError('a parenthesis is not closed');
    const next = this.#words[this.#at];
    if (next?.kind !== 'field' || !next.glued) return { kind: 'pipeline', pipeline, path: [] };
    this.#at++;
    return { kind: 'pipeline', pipeline, path: next.path };
  }

  #take(sign: string): boolean {
    if (!isSign(this.#words[this.#at], sign)) return false;
    this.#at++;
    return true;
  }
}
