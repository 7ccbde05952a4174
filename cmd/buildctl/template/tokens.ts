/** Templates as text and actions, and actions as words: the lexical part of Go's text/template. */
import { templateError } from './errors.js';

export type Piece = { readonly text: string } | { readonly action: string };

const ACTION = /\{\{(-\s)?((?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`}]|\}(?!\}))*?)(\s-)?\}\}/g;

/** Splits at `{{ }}`; `{{- ` and ` -}}` take the white space beside them away. */
export function splitTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  let trimNext = false;
  const text = (to: number, trim: boolean): void => {
    const part = template.slice(end, to);
    const left = trimNext ? part.trimStart() : part;
    pieces.push({ text: trim ? left.trimEnd() : left });
  };
  for (const match of template.matchAll(ACTION)) {
    const [whole, trimLeft, action = '', trimRight] = match;
    text(match.index, trimLeft !== undefined);
    end = match.index + whole.length;
    trimNext = trimRight !== undefined;
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(action)) pieces.push({ action: action.trim() });
  }
  text(template.length, false);
  const rest = pieces.at(-1);
  if (rest && 'text' in rest && rest.text.includes('{{')) throw templateError('an action is not closed');
  return pieces;
}

export type Word =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  /** `.A.B`, or `.` alone with an empty path; `glued` when it stands right behind what it is a field of. */
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly glued: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'sign'; readonly sign: string };

const WORDS = [
  /\s+/,
  /"(?:\\.|[^"\\])*"/,
  /`[^`]*`/,
  /[+-]?\d+(?:\.\d+)?/,
  /\$\w*(?:\.\w+)*/,
  /(?:\.[A-Za-z_]\w*)+|\./,
  /[A-Za-z_]\w*/,
  /:=|[=|(),]/,
].map((pattern) => `(${pattern.source})`);
const WORD = new RegExp(WORDS.join('|'), 'y');

export function wordsOf(action: string): Word[] {
  const words: Word[] = [];
  WORD.lastIndex = 0;
  let spaced = true;
  while (WORD.lastIndex < action.length) {
    const at = WORD.lastIndex;
    const match = WORD.exec(action);
    if (!match) throw templateError(`"${action.slice(at)}" is not understood in {{${action}}}`);
    const [, space] = match;
    if (space === undefined) words.push(wordOf(match, !spaced));
    spaced = space !== undefined;
  }
  return words;
}

const constants: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };

function wordOf(match: readonly (string | undefined)[], glued: boolean): Word {
  const [, , quoted, raw, number, variable, field, name, sign] = match;
  if (quoted !== undefined) return { kind: 'literal', value: unquote(quoted) };
  if (raw !== undefined) return { kind: 'literal', value: raw.slice(1, -1) };
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  if (variable !== undefined) {
    const [own = '$', ...path] = variable.split('.');
    return { kind: 'variable', name: own, path };
  }
  if (field !== undefined) return { kind: 'field', path: field.split('.').filter(Boolean), glued };
  if (name !== undefined) {
    return name in constants ? { kind: 'literal', value: constants[name]! } : { kind: 'name', name };
  }
  return { kind: 'sign', sign: sign! };
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw templateError(`${quoted} is not a string`);
  }
}
