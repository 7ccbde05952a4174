/** Folds a Status stream into rows. Vertices of one progress group become one row. */
import type { control } from '../../proto/index.js';
import { millisecondsOf } from '../../proto/timestamp.js';
import { Row } from './row.js';

interface Group {
  readonly row: Row;
  readonly members: Map<string, control.Vertex>;
}

export class ProgressView {
  readonly #shown = new Set<Row>();
  /** Every vertex announced, started or not. */
  readonly #announced = new Set<string>();
  readonly #byVertex = new Map<string, Row>();
  readonly #groups = new Map<string, Group>();
  /** Rows that changed since a display last took them. */
  readonly changed = new Set<Row>();
  /** Server time of the first event, for clocks that differ. */
  #skew: number | undefined;

  /** In the order in which they started. */
  get rows(): readonly Row[] {
    return [...this.#shown];
  }

  get total(): number {
    return this.#announced.size;
  }

  get completed(): number {
    return this.rows.filter((row) => row.completed !== undefined).length;
  }

  /** The present in the server's time. */
  now(): number {
    return Date.now() - (this.#skew ?? 0);
  }

  update(message: control.StatusResponse): void {
    for (const vertex of message.vertexes) this.#vertex(vertex);
    for (const status of message.statuses) this.#status(status);
    for (const log of message.logs) {
      const row = this.#byVertex.get(log.vertex);
      row?.addLog(timeOf(log.timestamp) ?? this.now(), Buffer.from(log.msg).toString());
      if (row) this.changed.add(row);
    }
    for (const warning of message.warnings) {
      const row = this.#byVertex.get(warning.vertex);
      row?.warnings.push(Buffer.from(warning.short).toString());
      if (row) this.changed.add(row);
    }
  }

  #vertex(vertex: control.Vertex): void {
    const started = timeOf(vertex.started);
    if (started !== undefined) this.#skew ??= Date.now() - started;
    if (vertex.progressGroup) this.#member(vertex, vertex.progressGroup);
    else this.#single(vertex, started);
  }

  #single(vertex: control.Vertex, started: number | undefined): void {
    this.#announced.add(vertex.digest);
    const row = this.#byVertex.get(vertex.digest) ?? new Row(vertex.digest, vertex.name);
    this.#byVertex.set(vertex.digest, row);
    // A repeated announcement must not undo what is known of a running step.
    if (started === undefined && row.started) return;
    row.name = vertex.name;
    row.cached = vertex.cached;
    row.error = vertex.error;
    if (started === undefined) return;
    row.addInterval(started, timeOf(vertex.completed));
    this.#show(row);
  }

  #member(vertex: control.Vertex, { id, name, weak }: NonNullable<control.Vertex['progressGroup']>): void {
    const group = this.#groups.get(id) ?? { row: new Row(id, name), members: new Map() };
    if (group.members.size === 0) group.row.hidden = true;
    this.#groups.set(id, group);
    this.#byVertex.set(vertex.digest, group.row);
    group.members.set(vertex.digest, vertex);
    const members = [...group.members.values()];
    group.row.cached = members.every((member) => member.cached);
    group.row.error = members.find((member) => member.error !== '')?.error ?? '';
    const started = timeOf(vertex.started);
    if (started === undefined) return;
    group.row.addInterval(started, timeOf(vertex.completed));
    if (!weak || group.row.error !== '') group.row.hidden = false;
    if (group.row.hidden) return;
    this.#announced.add(id);
    this.#show(group.row);
  }

  #show(row: Row): void {
    this.#shown.add(row);
    this.changed.add(row);
  }

  #status(status: control.VertexStatus): void {
    const row = this.#byVertex.get(status.vertex);
    if (!row) return;
    row.statuses.set(status.ID, {
      id: status.ID,
      current: status.current,
      total: status.total,
      timestamp: timeOf(status.timestamp) ?? this.now(),
      started: timeOf(status.started),
      completed: timeOf(status.completed),
    });
    this.changed.add(row);
  }
}

const timeOf = (timestamp: control.Vertex['started']): number | undefined =>
  timestamp && millisecondsOf(timestamp);
