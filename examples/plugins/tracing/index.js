/**
 * Spans as JSON lines in a file: `[plugin.tracing.lines] file = "/tmp/spans.jsonl"`.
 *
 * Shows: a tracing backend of one's own, spans with parents, a disposable that flushes.
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { definePlugin, PLUGIN_API, TracingBackends } from 'buildkit-ts/contracts';
import { z } from 'zod';

export default definePlugin({
  kind: 'tracing',
  id: 'lines',
  api: PLUGIN_API,
  config: z.object({
    file: z.string().optional().describe('file to append to; without it nothing is traced'),
  }),
  register(bind, { file }) {
    bind(TracingBackends.named('lines')).toValue({
      open: async (serviceName) => (file === undefined ? undefined : new LineTracing(serviceName, file)),
    });
  },
});

const id = (bytes) => randomBytes(bytes).toString('hex');

class LineTracing {
  #out;
  #service;

  constructor(service, file) {
    this.#service = service;
    this.#out = createWriteStream(file, { flags: 'a' });
  }

  start(name, { parent, tags = {} } = {}) {
    const started = Date.now();
    const all = { ...tags };
    const context = { traceId: parent?.traceId ?? id(16), spanId: id(8), sampled: true };
    let open = true;
    return {
      context,
      setTag: (key, value) => {
        all[key] = value;
      },
      log: (fields) => Object.assign(all, fields),
      fail: (error) => {
        all.error = error instanceof Error ? error.message : String(error);
      },
      finish: () => {
        if (!open) return;
        open = false;
        const line = {
          service: this.#service,
          name,
          ...context,
          parent: parent?.spanId,
          started,
          ms: Date.now() - started,
          tags: all,
        };
        this.#out.write(`${JSON.stringify(line)}\n`);
      },
    };
  }

  async trace(name, options, work) {
    const span = this.start(name, options);
    try {
      return await work(span);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.finish();
    }
  }

  inject({ traceId, spanId }) {
    return { traceparent: `00-${traceId}-${spanId}-01` };
  }

  extract(header) {
    const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(header('traceparent') ?? '');
    return match ? { traceId: match[1], spanId: match[2], sampled: true } : undefined;
  }

  async [Symbol.asyncDispose]() {
    await new Promise((resolve) => this.#out.end(resolve));
  }
}
