/** Where a daemon is: `unix:///path` and `tcp://host:port`. */
import { invalid, unsupported } from '../../core/contracts/index.js';
import { didYouMean } from '../../core/util/nearest.js';

/** What grpc-js dials. */
export interface DialTarget {
  readonly target: string;
}

const later = ['docker-container', 'podman-container', 'nerdctl-container', 'kube-pod', 'ssh', 'npipe'];

export function parseAddress(address: string): DialTarget {
  const [, scheme, rest = ''] = /^([a-z-]+):\/\/(.*)$/.exec(address) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { target: `unix://${rest}` };
  if (scheme === 'tcp' && /^(\[[^\]]+\]|[^:/]+):\d+$/.test(rest)) return { target: `dns:${rest}` };
  if (scheme !== undefined && later.includes(scheme)) {
    throw unsupported('client.address', `connecting through ${scheme}:// is known, but not supported yet`);
  }
  const guess = scheme === undefined ? '' : didYouMean(scheme, ['unix', 'tcp', ...later]);
  throw invalid('client.address', `"${address}" is not the address of a daemon${guess}`, {
    hint: 'give unix:///run/buildkit/buildkitd.sock or tcp://127.0.0.1:1234 (--addr or BUILDKIT_HOST)',
  });
}
