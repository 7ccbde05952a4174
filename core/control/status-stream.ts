/**
 * Turns the events of a job into StatusResponse messages: what came in one tick travels together, and a message is
 * cut once its logs pass 1 MiB or its events 8192, so that it stays below every client's limit. BuildKit: client/status.go.
 */
import type { control, wellknown } from '../../proto/index.js';
import { timestampOf } from '../../proto/timestamp.js';
import type { ProgressEvent } from '../contracts/index.js';

/** Bytes of log text after which a message is full. */
const LOG_LIMIT = 1 << 20;
/** Events after which a message is full as well: a replay has all of them at once. */
const EVENT_LIMIT = 8192;
/** How long events are gathered before they are sent, in milliseconds. */
const GATHER_MS = 50;

export type StatusMessage = control.StatusResponse;

export async function* statusMessages(events: AsyncIterable<ProgressEvent>): AsyncIterable<StatusMessage> {
  const iterator = events[Symbol.asyncIterator]();
  const ask = (): Promise<IteratorResult<ProgressEvent>> => {
    const next = iterator.next();
    // Nobody looks at it while a slow reader has the message before it.
    next.catch(() => {});
    return next;
  };
  try {
    let next = ask();
    for (;;) {
      const first = await next;
      if (first.done) return;
      const batch = new Batch();
      batch.add(first.value);
      next = ask();
      const deadline = performance.now() + GATHER_MS;
      while (!batch.full) {
        const more = await within(next, deadline - performance.now());
        if (more === undefined || more.done) break;
        batch.add(more.value);
        next = ask();
      }
      yield batch.message;
    }
  } finally {
    await iterator.return?.();
  }
}

/** The value if it comes in time. The promise itself lives on: nothing is lost by not waiting. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

class Batch {
  readonly message: StatusMessage = { vertexes: [], statuses: [], logs: [], warnings: [] };
  #logBytes = 0;
  #events = 0;

  get full(): boolean {
    return this.#logBytes >= LOG_LIMIT || this.#events >= EVENT_LIMIT;
  }

  add(event: ProgressEvent): void {
    this.#events++;
    switch (event.type) {
      case 'vertex':
        this.message.vertexes.push(vertexOf(event));
        break;
      case 'status':
        this.message.statuses.push(statusOf(event));
        break;
      case 'log':
        this.#logBytes += event.data.length;
        this.message.logs.push({
          vertex: event.vertex,
          timestamp: timestampOf(event.timestamp),
          stream: event.stream === 'stdout' ? 1 : 2,
          msg: event.data,
        });
        break;
      case 'warning':
        this.message.warnings.push(warningOf(event));
        break;
      default:
        event satisfies never;
    }
  }
}

const optionalTimestamp = (ms: number | undefined): wellknown.Timestamp | undefined =>
  ms === undefined ? undefined : timestampOf(ms);

type EventOf<Type extends ProgressEvent['type']> = Extract<ProgressEvent, { type: Type }>;

const vertexOf = (event: EventOf<'vertex'>): control.Vertex => ({
  digest: event.digest,
  inputs: [...event.inputs],
  name: event.name,
  cached: event.cached,
  started: optionalTimestamp(event.started),
  completed: optionalTimestamp(event.completed),
  error: event.error,
  progressGroup: event.group && { ...event.group },
});

const statusOf = (event: EventOf<'status'>): control.VertexStatus => ({
  ID: event.id,
  vertex: event.vertex,
  name: event.name,
  current: event.current,
  total: event.total,
  timestamp: timestampOf(event.timestamp),
  started: optionalTimestamp(event.started),
  completed: optionalTimestamp(event.completed),
});

const utf8 = new TextEncoder();

const warningOf = (event: EventOf<'warning'>): control.VertexWarning => ({
  vertex: event.vertex,
  level: event.level,
  short: utf8.encode(event.short),
  detail: event.detail.map((line) => utf8.encode(line)),
  url: event.url ?? '',
  info: event.source && {
    filename: event.source.filename,
    data: event.source.data,
    definition: undefined,
    language: event.source.language ?? '',
  },
  ranges: (event.ranges ?? []).map(({ start, end }) => ({ start: { ...start }, end: { ...end } })),
});
