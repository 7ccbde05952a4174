import { syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { parseFlags } from './flags.js';
import type { ArgDeclaration, KeyValue } from './types.js';

export const parseEnv = (node: Node): { readonly variables: readonly KeyValue[] } => ({
  variables: keyValues(node, 'ENV'),
});

export const parseLabel = (node: Node): { readonly labels: readonly KeyValue[] } => ({
  labels: keyValues(node, 'LABEL'),
});

/** A node keeps triples of key, value and delimiter. */
function keyValues({ args, flags }: Node, keyword: string): KeyValue[] {
  parseFlags(flags, {});
  if (args.length === 0) throw syntaxError(`${keyword} requires at least one argument`);
  const pairs: KeyValue[] = [];
  for (let at = 0; at < args.length; at += 3) {
    const key = args[at] ?? '';
    if (key === '') throw syntaxError(`${keyword} names can not be blank`);
    pairs.push({ key, value: args[at + 1] ?? '' });
  }
  return pairs;
}

export function parseArg({ args }: Node): { readonly args: readonly ArgDeclaration[] } {
  if (args.length === 0) throw syntaxError('ARG requires at least one argument');
  return {
    args: args.map((arg) => {
      const equals = arg.indexOf('=');
      if (equals === 0) throw syntaxError('ARG names can not be blank');
      return equals < 0
        ? { key: arg, value: undefined }
        : { key: arg.slice(0, equals), value: arg.slice(equals + 1) };
    }),
  };
}
