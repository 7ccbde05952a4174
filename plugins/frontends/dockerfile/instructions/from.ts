import { goQuote } from '../../../../core/util/go-quote.js';
import { syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { commentOn } from './comments.js';
import { parseFlags } from './flags.js';
import type { Stage } from './types.js';

/** `FROM [--platform=…] base [AS name]`. */
export function parseFrom(node: Node): Omit<Stage, 'instructions'> {
  const name = stageName(node.args);
  const { platform = '' } = parseFlags(node.flags, { platform: 'string' });
  const { keyword, ranges, original } = node;
  const comment = commentOn(name, node.comments);
  return { name, platform, comment, base: node.args[0] ?? '', code: original.trim(), keyword, ranges };
}

function stageName(args: readonly string[]): string {
  if (args.length === 1) return '';
  const [, as, given] = args;
  if (args.length !== 3 || as?.toLowerCase() !== 'as' || given === undefined) {
    throw syntaxError('FROM requires either one or three arguments');
  }
  const name = given.toLowerCase();
  if (!/^[a-z][a-z0-9-_.]*$/.test(name)) {
    throw syntaxError(
      `invalid name for build stage: ${goQuote(given)}, name can't start with a number or contain symbols`,
    );
  }
  return name;
}
