/**
 * The catalogue of errors: every code that the source gives to a BuildError, with its gRPC code and the forms of its
 * message. `…` stands for what is filled in.
 */
import { code, table } from './markdown.js';
import { sourceFiles } from './source-files.js';

interface Found {
  readonly code: string;
  readonly grpc: string;
  readonly message: string | undefined;
  readonly file: string;
}

const byHelper: Readonly<Record<string, string>> = {
  invalid: 'InvalidArgument',
  notFound: 'NotFound',
  unsupported: 'Unimplemented',
};

const call = /(new BuildError|\b(?:invalid|notFound|unsupported))\(\s*('([a-z-]+(?:\.[a-z-]+)?)')?/g;
/** A helper of some file, which hands its first argument on as the code. */
const namedHelper = /\b(\w+)\(\s*'([a-z-]+\.[a-z-]+)',/g;

const folders = ['core', 'plugins', 'client', 'cmd', 'tracing', 'proto', 'index.ts'];

const allErrors = (root: string): Found[] =>
  sourceFiles(root, folders).flatMap(({ path, text }) => [
    ...directCalls(path, text),
    ...helperCalls(path, text),
  ]);

/** What is refused as known, but not supported, in the words of the refusals. */
export function unsupportedList(root: string): string {
  const refusals = allErrors(root).filter(({ grpc, message }) => grpc === 'Unimplemented' && message);
  return `${unique(refusals.map(({ code: name, message }) => `- ${code(message!)} (${code(name)})`).sort()).join('\n')}\n`;
}

export function errorCatalogue(root: string): string {
  return groupBy(allErrors(root), ({ code: each }) => each.split('.')[0]!)
    .map(([area, errors]) => `### ${area}\n\n${areaTable(errors)}\n`)
    .join('\n');
}

function areaTable(errors: readonly Found[]): string {
  const rows = groupBy(errors, (error) => error.code).map(([name, all]) => [
    code(name),
    unique(all.map(({ grpc }) => grpc)).join(', '),
    unique(all.flatMap(({ message }) => (message ? [message] : [])))
      .map(code)
      .join('<br>'),
    unique(all.map(({ file }) => file))
      .map((file) => `[${file.split('/').at(-1)}](../../${file})`)
      .join(' '),
  ]);
  return table(['code', 'gRPC', 'message', 'source'], rows);
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function directCalls(file: string, text: string): Found[] {
  return [...text.matchAll(call)].flatMap((match) => {
    const { 1: callee = '', 3: name } = match;
    if (name === undefined) return [];
    const args = argumentsOf(text, match.index + match[0].length);
    const grpc = /grpcCode: '(\w+)'/.exec(args)?.[1] ?? byHelper[callee] ?? 'Unknown';
    return [{ code: name, grpc, message: messageOf(args.replace(/^\s*,/, '')), file }];
  });
}

/** Calls of functions in this file that make an error of a code that they are given. */
function helperCalls(file: string, text: string): Found[] {
  return [...text.matchAll(namedHelper)].flatMap((match) => {
    const { 1: callee = '', 2: name = '' } = match;
    const definition = new RegExp(
      `(?:function ${callee}\\(|const ${callee} = (?:async )?\\()\\s*code: ErrorCode[\\s\\S]*?\\b(new BuildError|invalid|notFound|unsupported)\\(\\s*code`,
    ).exec(text);
    if (callee in byHelper || !definition) return [];
    const args = argumentsOf(text, match.index + match[0].length);
    const grpc = /grpcCode: '(\w+)'/.exec(text.slice(definition.index, definition.index + 600))?.[1];
    return [
      { code: name, grpc: byHelper[definition[1]!] ?? grpc ?? 'Unknown', message: messageOf(args), file },
    ];
  });
}

const argumentsOf = (text: string, start: number): string => text.slice(start, closing(text, start));

/** Where the bracket closes that was opened before `start`. */
function closing(text: string, start: number): number {
  let index = start;
  for (; index < text.length; index++) {
    const char = text[index]!;
    if (')]}'.includes(char)) break;
    if ('([{'.includes(char)) index = closing(text, index + 1);
    else if ('\'"`'.includes(char)) index = endOfString(text, index);
  }
  return index;
}

/** Where the quote that stands at `start` is closed. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  for (; index < text.length && text[index] !== text[start]; index++) {
    if (text[index] === '\\') index++;
    else if (text[start] === '`' && text.startsWith('${', index)) index = closing(text, index + 2);
  }
  return index;
}

/** The literal that an argument list begins with, with `…` for what is filled in. */
function messageOf(args: string): string | undefined {
  const text = args.trimStart();
  const quote = text[0];
  if (quote !== "'" && quote !== '`' && quote !== '"') return undefined;
  const literal = text.slice(1, endOfString(text, 0));
  const form = fillings(literal).replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').trim();
  return /\p{L}/u.test(form) ? form : undefined;
}

function fillings(literal: string): string {
  let text = '';
  for (let index = 0; index < literal.length; index++) {
    if (!literal.startsWith('${', index)) text += literal[index];
    else {
      index = closing(literal, index + 2);
      text += '…';
    }
  }
  return text;
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): [key: string, values: T[]][] {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
