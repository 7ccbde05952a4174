/** Opens the tracing that the environment asks for. Nothing is loaded when it asks for none. */
import { silentTracing, type Tracing, unsupported } from '../core/contracts/index.js';
import { parseEndpoint } from './endpoint.js';
import { otlpEndpoint } from './otlp-settings.js';

const EXPORTERS = ['otlp', 'jaeger', 'none'];

/**
 * `JAEGER_TRACE`, or OpenTelemetry's variables, which come first, as in BuildKit. A malformed value is an error, so that
 * nobody waits for spans in vain.
 */
export async function openTracing(
  serviceName: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Tracing> {
  const wanted = env.OTEL_TRACES_EXPORTER;
  if (wanted && !EXPORTERS.includes(wanted)) {
    throw unsupported(
      'tracing.exporter',
      `OTEL_TRACES_EXPORTER=${wanted}: there are ${EXPORTERS.join(', ')}`,
    );
  }
  const otlp = wanted === 'none' || wanted === 'jaeger' ? undefined : otlpEndpoint(env);
  if (wanted === 'none' || (!otlp && !env.JAEGER_TRACE)) return silentTracing;
  const endpoint = otlp ?? parseEndpoint(env.JAEGER_TRACE!);
  const [{ JaegerTracing }, { BatchSender }, { openTransport }] = await Promise.all([
    import('./jaeger-tracing.js'),
    import('./sender.js'),
    import('./transport.js'),
  ]);
  const name = env.OTEL_SERVICE_NAME || serviceName;
  return new JaegerTracing(name, new BatchSender(await openTransport(endpoint)));
}
