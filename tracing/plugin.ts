/** The built-in tracing plugin: `[plugin.tracing.jaeger] endpoint = "host:6831"`, or `JAEGER_TRACE`. */
import * as z from 'zod';
import { definePlugin, PLUGIN_API, silentTracing, TracingBackends } from '../core/contracts/index.js';
import { openTracing } from './index.js';

export default definePlugin({
  kind: 'tracing',
  id: 'jaeger',
  api: PLUGIN_API,
  config: z.object({
    endpoint: z
      .string()
      .optional()
      .describe('host:6831 (thrift compact), host:6832 (binary) or a collector URL; default: JAEGER_TRACE'),
  }),
  register(bind, { endpoint }) {
    bind(TracingBackends.named('jaeger')).toValue({
      async open(serviceName) {
        const env = endpoint === undefined ? process.env : { JAEGER_TRACE: endpoint };
        const opened = await openTracing(serviceName, env);
        return opened === silentTracing ? undefined : opened;
      },
    });
  },
});
