/** Reads OpenTelemetry's environment: whether spans go to a collector, where it is, and how it is spoken to. */
import { invalid, unsupported } from '../core/contracts/index.js';

export interface OtlpEndpoint {
  readonly kind: 'otlp';
  readonly protocol: 'grpc' | 'http/protobuf';
  /** `grpc` takes `unix:` as well. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** PEM file of who signs the collector's certificate. */
  readonly certificate: string | undefined;
}

const TIMEOUT_MS = 10_000;

/** Undefined: spans do not go to a collector of OpenTelemetry. */
export function otlpEndpoint(env: NodeJS.ProcessEnv): OtlpEndpoint | undefined {
  /** Of traces in particular, or of everything. */
  const setting = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined;
  if (env.OTEL_TRACES_EXPORTER !== 'otlp' && setting('ENDPOINT') === undefined) return undefined;
  const protocol = setting('PROTOCOL') ?? 'grpc';
  if (protocol !== 'grpc' && protocol !== 'http/protobuf') {
    throw unsupported(
      'tracing.protocol',
      `OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}: there are grpc and http/protobuf`,
    );
  }
  const certificate = setting('CERTIFICATE');
  if (certificate !== undefined && protocol !== 'grpc') {
    throw unsupported('tracing.certificate', 'OTEL_EXPORTER_OTLP_CERTIFICATE is for the protocol grpc only');
  }
  return {
    kind: 'otlp',
    protocol,
    url: urlOf(env, protocol),
    headers: headersOf(setting('HEADERS') ?? ''),
    timeoutMs: Number(setting('TIMEOUT') ?? TIMEOUT_MS),
    certificate,
  };
}

/** The address of traces is taken as it is; to that of everything, HTTP adds a path. */
function urlOf(env: NodeJS.ProcessEnv, protocol: OtlpEndpoint['protocol']): URL {
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const port = protocol === 'grpc' ? 4317 : 4318;
  const text = own || env.OTEL_EXPORTER_OTLP_ENDPOINT || `http://localhost:${port}`;
  const insecure = env.OTEL_EXPORTER_OTLP_TRACES_INSECURE ?? env.OTEL_EXPORTER_OTLP_INSECURE;
  const url = parse(/^[a-z]+:\//.test(text) ? text : `${insecure === 'true' ? 'http' : 'https'}://${text}`);
  if (protocol === 'http/protobuf' && !own) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url;
}

function parse(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw invalid('tracing.endpoint', `OTEL_EXPORTER_OTLP_ENDPOINT=${text} is not an address`);
}

/** `name=value,name=value`, percent-encoded as W3C Baggage is. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw invalid('tracing.headers', `OTEL_EXPORTER_OTLP_HEADERS: ${pair} is not name=value`);
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}
