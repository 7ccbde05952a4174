import { unsupported } from '../../../../core/contracts/errors.js';
import { goQuote } from '../../../../core/util/go-quote.js';
import { syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { parseFlags } from './flags.js';
import { mountSource } from './run-mount.js';
import type { Run } from './types.js';

const networks = ['default', 'none', 'host'] as const;
const securityModes = ['sandbox', 'insecure'] as const;

export function parseRun(node: Node): Omit<Run, 'kind' | 'code' | 'keyword' | 'ranges'> {
  const flags = parseFlags(node.flags, {
    device: 'strings',
    mount: 'strings',
    network: 'string',
    security: 'string',
  });
  if (flags.device.length > 0) {
    throw unsupported(
      'dockerfile.unsupported',
      'RUN --device is not supported: it is a feature of the labs channel',
    );
  }
  return {
    command: { args: node.args, shell: !node.json },
    heredocs: node.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp })),
    mounts: flags.mount,
    mountSources: flags.mount.map(mountSource),
    network: oneOf(networks, flags.network, (value) => `invalid network mode ${value}`) ?? 'default',
    security: oneOf(securityModes, flags.security, (value) => `security ${value} is not valid`) ?? 'sandbox',
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
