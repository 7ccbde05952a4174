import type { SourceRange } from '../../../../core/contracts/errors.js';
import { syntaxError } from '../located.js';
import type { Heredoc } from './heredoc.js';
import { parseJsonStrings } from './json-array.js';
import { type SplitCommand, splitCommand } from './split-command.js';
import { splitSpaces, splitWords } from './words.js';

/** An instruction as it is written, cut into its parts but not yet understood. */
export interface Node {
  /** In the case it was written in. */
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly args: readonly string[];
  /** The arguments were a JSON array. */
  readonly json: boolean;
  /** The whole instruction, continuation lines joined. */
  readonly original: string;
  readonly heredocs: readonly Heredoc[];
  /** The comment lines right above. */
  readonly comments: readonly string[];
  readonly ranges: readonly SourceRange[];
}

/** Everything of a node that its line tells. */
export type LineNode = Pick<Node, 'keyword' | 'flags' | 'args' | 'json' | 'original'>;

type Args = { readonly args: readonly string[]; readonly json?: boolean };
type ArgsParser = (rest: string, escapeToken: string) => Args;

const jsonOr =
  (otherwise: (rest: string) => readonly string[]): ArgsParser =>
  (rest) => {
    const strings = parseJsonStrings(rest);
    return strings === undefined ? { args: otherwise(rest) } : { args: strings, json: true };
  };

const whole = (rest: string): readonly string[] => (rest === '' ? [] : [rest]);
const jsonOrWhole = jsonOr(whole);
const jsonOrSpaces = jsonOr(splitSpaces);
const spaces: ArgsParser = (rest) => ({ args: splitSpaces(rest) });
const oneString: ArgsParser = (rest) => ({ args: whole(rest) });

const parsers: Readonly<Record<string, ArgsParser>> = {
  add: jsonOrSpaces,
  arg: (rest, escapeToken) => ({ args: splitWords(rest, escapeToken) }),
  cmd: jsonOrWhole,
  copy: jsonOrSpaces,
  entrypoint: jsonOrWhole,
  env: (rest, escapeToken) => ({ args: keyValues('ENV', rest, escapeToken) }),
  expose: spaces,
  from: spaces,
  healthcheck: (rest) => {
    const [, type = '', command = ''] = /^(\S*)\s*(.*)$/su.exec(rest) ?? [];
    if (type === '') return { args: [] };
    const { args, json = false } = jsonOrWhole(command, '');
    return { args: [type, ...args], json };
  },
  label: (rest, escapeToken) => ({ args: keyValues('LABEL', rest, escapeToken) }),
  maintainer: oneString,
  onbuild: (rest, escapeToken) => {
    if (rest === '') return { args: [] };
    const { keyword } = splitCommand(rest, escapeToken);
    return { args: [keyword] };
  },
  run: jsonOrWhole,
  shell: jsonOrWhole,
  stopsignal: oneString,
  user: oneString,
  volume: jsonOrSpaces,
  workdir: oneString,
};

/** Keywords of all instructions, upper case. */
export const keywords: readonly string[] = Object.keys(parsers).map((keyword) => keyword.toUpperCase());

/** An unknown instruction keeps no arguments: it is reported where instructions are understood. */
export function parseLine(line: string, escapeToken: string): LineNode {
  const split: SplitCommand = splitCommand(line, escapeToken);
  const { args, json = false } = parsers[split.keyword.toLowerCase()]?.(split.rest, escapeToken) ?? {
    args: [],
  };
  return { keyword: split.keyword, flags: split.flags, args, json, original: line };
}

/** Triples of key, value and delimiter. The old form `ENV key value` has an empty delimiter. */
function keyValues(keyword: string, rest: string, escapeToken: string): string[] {
  const words = splitWords(rest, escapeToken);
  const [first] = words;
  if (first === undefined) return [];
  if (!first.includes('=')) {
    const [, key, value] = /^(.*?)[\t\v\f\r ]+(.*)$/s.exec(rest) ?? [];
    if (key === undefined || value === undefined) {
      throw syntaxError(`${keyword} must have two arguments`, `write ${keyword} ${first}=value`);
    }
    return [key, value, ''];
  }
  return words.flatMap((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw syntaxError(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    }
    return [word.slice(0, equals), word.slice(equals + 1), '='];
  });
}

const heredocKeywords = new Set(['add', 'copy', 'run']);

/** Whether `<<` in this instruction starts a heredoc. ONBUILD asks the instruction behind it. */
export function takesHeredocs(node: LineNode, escapeToken: string): boolean {
  const keyword = node.keyword.toLowerCase();
  if (keyword !== 'onbuild') return heredocKeywords.has(keyword) && !node.json;
  const { rest } = splitCommand(node.original, escapeToken);
  return rest !== '' && takesHeredocs(parseLine(rest, escapeToken), escapeToken);
}

/** Written out: it is made once a line, and spreading costs more than all the rest. */
export const nodeAt = (
  { keyword, flags, args, json, original }: LineNode,
  heredocs: readonly Heredoc[],
  comments: readonly string[],
  ranges: readonly SourceRange[],
): Node => ({
  keyword,
  flags,
  args,
  json,
  original,
  heredocs,
  comments,
  ranges,
});
