/** `--tlsdir`, or the files one by one. BuildKit: cmd/buildctl/common/common.go. */
import { type ClientTls, tlsOfFolder } from '../../client/grpc/tls.js';
import { invalid } from '../../core/contracts/index.js';

export interface TlsFlags {
  readonly tlsservername?: string;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly tlsdir?: string;
}

/** undefined: a plain connection. A name alone is no wish for TLS. */
export function tlsOf(flags: TlsFlags): ClientTls | undefined {
  const { tlsservername: serverName, tlscacert: ca, tlscert: cert, tlskey: key, tlsdir } = flags;
  const files = defined({ ca, cert, key });
  const named = defined({ serverName });
  const alone = Object.keys(files).length > 0;
  if (!tlsdir) return alone ? { ...named, ...files } : undefined;
  if (alone) throw invalid('buildctl.option', '--tlsdir cannot go with --tlscacert, --tlscert or --tlskey');
  return { ...named, ...tlsOfFolder(tlsdir) };
}

const defined = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value ? [[key, value] as const] : [])),
  );
