/**
 * Where a daemon is: an address that is dialled, or a command whose standard input and output lead to one.
 * BuildKit: client/client.go, client/connhelper.
 */
import { invalid, unsupported } from '../../core/contracts/index.js';
import { didYouMean } from '../../core/util/nearest.js';
import { helperCommand, helperSchemes } from './helper-command.js';

export type DialTarget =
  | {
      readonly kind: 'socket';
      /** What grpc-js dials. */
      readonly target: string;
      /** What the daemon is called, for TLS; a unix socket has no name. */
      readonly host?: string;
    }
  | { readonly kind: 'command'; readonly command: string; readonly args: readonly string[] };

export function parseAddress(address: string): DialTarget {
  const [, scheme, rest = ''] = /^([a-z-]+):\/\/(.*)$/.exec(address) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { kind: 'socket', target: `unix://${rest}` };
  const [, host] = /^(\[[^\]]+\]|[^:/]+):\d+$/.exec(rest) ?? [];
  if (scheme === 'tcp' && host !== undefined) {
    return { kind: 'socket', target: `dns:${rest}`, host: host.replace(/^\[|\]$/g, '') };
  }
  if (scheme !== undefined && helperSchemes.includes(scheme)) {
    return { kind: 'command', ...helperCommand(scheme, address) };
  }
  if (scheme === 'npipe') throw unsupported('client.address', 'npipe:// addresses are for Windows');
  const guess = scheme === undefined ? '' : didYouMean(scheme, ['unix', 'tcp', ...helperSchemes]);
  throw invalid('client.address', `"${address}" is not the address of a daemon${guess}`, {
    hint: 'give unix:///run/buildkit/buildkitd.sock or tcp://127.0.0.1:1234 (--addr or BUILDKIT_HOST)',
  });
}
