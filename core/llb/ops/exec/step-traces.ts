/**
 * Lets steps take part in the trace of their build: where to send spans, and below which one. None of it is part of what a
 * step is called in the cache. BuildKit: executor/oci/spec.go.
 */
import type { ExecMount } from '../../../contracts/executor.js';
import type { SpanContext, Tracing } from '../../../contracts/tracing.js';

const SOCKET = '/dev/otel-grpc.sock';

export interface StepTraces {
  readonly env: readonly string[];
  readonly mounts: readonly ExecMount[];
}

/** `socket`: where the daemon takes spans; undefined: nowhere. */
export function stepTraces(
  socket: string | undefined,
  tracing: Tracing,
  span: SpanContext | undefined,
): StepTraces {
  if (socket === undefined || !span) return { env: [], mounts: [] };
  const { traceparent } = tracing.inject(span);
  const source = { mounts: async () => [{ type: 'bind' as const, source: socket, options: ['rbind'] }] };
  return {
    env: [
      'OTEL_TRACES_EXPORTER=otlp',
      `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=unix://${SOCKET}`,
      'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc',
      // The first is of the time before there was a name that everybody reads.
      ...(traceparent === undefined
        ? []
        : [`OTEL_TRACE_PARENT=${traceparent}`, `TRACEPARENT=${traceparent}`]),
    ],
    mounts: [{ kind: 'tree', dest: SOCKET, tree: source, selector: '', readonly: true }],
  };
}
