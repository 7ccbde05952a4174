import { goQuote } from '../../../../core/util/go-quote.js';
import { syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { parseFlags } from './flags.js';
import { parseDevice } from './run-device.js';
import { mountSource } from './run-mount.js';
import type { Run } from './types.js';

const runFlags = { device: 'strings', mount: 'strings', network: 'string', security: 'string' } as const;
const networks = ['default', 'none', 'host'] as const;
const securityModes = ['sandbox', 'insecure'] as const;

export function parseRun(node: Node): Omit<Run, 'kind' | 'code' | 'keyword' | 'ranges'> {
  const flags = parseFlags(node.flags, runFlags);
  return {
    command: { args: node.args, shell: !node.json },
    heredocs: node.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp })),
    mounts: flags.mount,
    mountSources: flags.mount.map(mountSource),
    network: oneOf(networks, flags.network, (value) => `invalid network mode ${value}`) ?? 'default',
    security: oneOf(securityModes, flags.security, (value) => `security ${value} is not valid`) ?? 'sandbox',
    devices: flags.device.map(parseDevice),
  };
}

function oneOf<T extends string>(
  known: readonly T[],
  value: string | undefined,
  problem: (quoted: string) => string,
): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw syntaxError(problem(goQuote(value)));
  return found;
}
