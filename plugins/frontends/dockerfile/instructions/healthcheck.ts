import { goQuote } from '../../../../core/util/go-quote.js';
import type { HealthCheck } from '../image-config/image.js';
import { syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { parseFlags } from './flags.js';
import { parseDuration } from './go-number.js';

const MILLISECOND = 1e6;

export function parseHealthcheck(node: Node): { readonly check: HealthCheck } {
  const [given, ...args] = node.args;
  if (given === undefined) throw syntaxError('HEALTHCHECK requires at least one argument');
  const type = given.toUpperCase();
  if (type === 'NONE') {
    if (args.length > 0) throw syntaxError('HEALTHCHECK NONE takes no arguments');
    return { check: { ...noTimes, test: ['NONE'], retries: 0 } };
  }
  const flags = parseFlags(node.flags, {
    interval: 'string',
    timeout: 'string',
    'start-period': 'string',
    'start-interval': 'string',
    retries: 'string',
  });
  if (type !== 'CMD') throw syntaxError(`Unknown type ${goQuote(type)} in HEALTHCHECK (try CMD)`);
  if (args.length === 0) throw syntaxError('Missing command after HEALTHCHECK CMD');
  return {
    check: {
      test: [node.json ? 'CMD' : 'CMD-SHELL', ...args],
      interval: time('interval', flags.interval),
      timeout: time('timeout', flags.timeout),
      startPeriod: time('start-period', flags['start-period']),
      startInterval: time('start-interval', flags['start-interval']),
      retries: retries(flags.retries),
    },
  };
}

const noTimes = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0 };

function time(flag: string, text: string | undefined): number {
  if (!text) return 0;
  const duration = parseDuration(text);
  if (duration !== 0 && duration < MILLISECOND) {
    throw syntaxError(`Interval ${goQuote(flag)} cannot be less than 1ms`);
  }
  return duration;
}

function retries(text: string | undefined): number {
  if (!text) return 0;
  if (!/^[+-]?\d+$/.test(text)) throw syntaxError(`--retries must be a number, not ${goQuote(text)}`);
  const count = Number(text);
  if (count < 0) throw syntaxError(`--retries cannot be negative (${count})`);
  return count;
}
