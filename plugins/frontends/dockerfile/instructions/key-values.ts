import { syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { commentOn } from './comments.js';
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
    pairs.push({ key, value: args[at + 1] ?? '', spaced: args[at + 2] === '' });
  }
  return pairs;
}

export function parseArg({ args, comments }: Node): { readonly args: readonly ArgDeclaration[] } {
  if (args.length === 0) throw syntaxError('ARG requires at least one argument');
  return {
    args: args.map((arg) => {
      const equals = arg.indexOf('=');
      if (equals === 0) throw syntaxError('ARG names can not be blank');
      const key = equals < 0 ? arg : arg.slice(0, equals);
      const value = equals < 0 ? undefined : arg.slice(equals + 1);
      return { key, value, comment: commentOn(key, comments) };
    }),
  };
}
