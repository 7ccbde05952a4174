/**
 * One JSON object per message, for programs: `vertexes`, `statuses`, `logs`, `warnings` with the names and forms of
 * Go's client.SolveStatus (times RFC 3339, `data` in base64, empty fields left out).
 */
import type { control, wellknown } from '../../proto/index.js';
import type { Display, Write } from './display.js';

export class RawJsonDisplay implements Display {
  readonly #write: Write;

  constructor(write: Write) {
    this.#write = write;
  }

  update(message: control.StatusResponse): void {
    this.#write(`${JSON.stringify(solveStatus(message))}\n`);
  }

  refresh(): void {}

  done(): void {}
}

const solveStatus = (message: control.StatusResponse): object => ({
  vertexes: some(message.vertexes.map(vertex)),
  statuses: some(message.statuses.map(status)),
  logs: some(
    message.logs.map((log) => ({
      vertex: log.vertex,
      stream: log.stream,
      data: base64(log.msg),
      timestamp: time(log.timestamp),
    })),
  ),
  warnings: some(message.warnings.map(warning)),
});

const some = <T>(items: readonly T[]): readonly T[] | undefined => (items.length > 0 ? items : undefined);
const text = (value: string): string | undefined => value || undefined;
const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');

/** RFC 3339 with as many digits as there are, as Go writes it. */
function time(timestamp: wellknown.Timestamp | undefined): string | undefined {
  if (timestamp === undefined) return undefined;
  const fraction = String(timestamp.nanos).padStart(9, '0').replace(/0+$/, '');
  return `${new Date(timestamp.seconds * 1000).toISOString().slice(0, 19)}${fraction ? `.${fraction}` : ''}Z`;
}

const vertex = (value: control.Vertex): object => ({
  digest: value.digest,
  inputs: some(value.inputs),
  name: text(value.name),
  started: time(value.started),
  completed: time(value.completed),
  cached: value.cached || undefined,
  error: text(value.error),
  progressGroup: value.progressGroup && {
    id: value.progressGroup.id,
    name: value.progressGroup.name,
    weak: value.progressGroup.weak || undefined,
  },
});

const status = (value: control.VertexStatus): object => ({
  id: value.ID,
  vertex: value.vertex,
  name: text(value.name),
  total: value.total || undefined,
  current: value.current,
  timestamp: time(value.timestamp),
  started: time(value.started),
  completed: time(value.completed),
});

const warning = (value: control.VertexWarning): object => ({
  vertex: value.vertex,
  level: value.level || undefined,
  short: base64(value.short),
  detail: some(value.detail.map(base64)),
  url: text(value.url),
  sourceInfo: value.info && { ...value.info, data: base64(value.info.data) },
  range: some(value.ranges),
});
