/** Reads `JAEGER_TRACE`: where spans go. */
import { invalid } from '../core/contracts/index.js';
import type { Encoding } from './thrift-batch.js';

export type Endpoint =
  | { readonly kind: 'udp'; readonly host: string; readonly port: number; readonly encoding: Encoding }
  | { readonly kind: 'http'; readonly url: URL };

/** The agent's port for thrift binary; every other port gets compact, as agents listen for it on 6831. */
const BINARY_PORT = 6832;

/** `host:6831` (compact), `host:6832` (binary), or `http(s)://host:14268[/api/traces]` (collector). */
export function parseEndpoint(text: string): Endpoint {
  if (/^https?:\/\//.test(text)) {
    const url = new URL(text);
    if (url.pathname === '/') url.pathname = '/api/traces';
    return { kind: 'http', url };
  }
  const match = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65535) {
    throw invalid('tracing.endpoint', `JAEGER_TRACE=${text} is not an address`, {
      hint: 'give host:6831 (thrift compact), host:6832 (thrift binary) or a collector URL such as http://host:14268',
    });
  }
  const host = match[1]!.replace(/^\[|\]$/g, '');
  return { kind: 'udp', host, port, encoding: port === BINARY_PORT ? 'binary' : 'compact' };
}
