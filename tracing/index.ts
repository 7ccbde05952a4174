/** Opens the tracing that the environment asks for. Nothing is loaded when it asks for none. */
import { silentTracing, type Tracing } from '../core/contracts/index.js';
import { parseEndpoint } from './endpoint.js';

/** `JAEGER_TRACE` unset or empty: silent. A malformed value is an error, so that nobody waits for spans in vain. */
export async function openTracing(
  serviceName: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Tracing> {
  const address = env.JAEGER_TRACE;
  if (!address) return silentTracing;
  const endpoint = parseEndpoint(address);
  const [{ JaegerTracing }, { BatchSender }, { openTransport }] = await Promise.all([
    import('./jaeger-tracing.js'),
    import('./sender.js'),
    import('./transport.js'),
  ]);
  return new JaegerTracing(serviceName, new BatchSender(openTransport(endpoint)));
}
