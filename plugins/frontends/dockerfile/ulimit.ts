import type { Ulimit } from '../../../client/llb/index.js';
import { invalid } from '../../../core/contracts/errors.js';
import { suggestion } from './instructions/flags.js';

const names = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const;

/** `name=soft[:hard]`; -1 is unlimited. */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=');
  if (equals < 0) throw badUlimit(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals);
  if (!names.some((known) => known === name)) {
    throw badUlimit(`invalid ulimit type: ${name}${suggestion(name, names)}`);
  }
  const [soft, hard = soft, ...more] = text
    .slice(equals + 1)
    .split(':')
    .map(limit);
  if (soft === undefined || hard === undefined || more.length > 0) {
    throw badUlimit(`too many limit value arguments - ${text}, can only have up to two, \`soft[:hard]\``);
  }
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw badUlimit(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { name, soft, hard };
}

function limit(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw badUlimit(`invalid ulimit value: "${text}"`);
  return Number(text);
}

const badUlimit = (problem: string): Error =>
  invalid('dockerfile.option', `failed to parse ulimit: ${problem}`);
