/**
 * Line by line, for logs and pipes. One step speaks at a time: before another one does, `#N ...` closes its part. A
 * step that is silent for a while gives way to those that have something to say.
 */
import type { control } from '../../proto/index.js';
import type { Display, Write } from './display.js';
import { printErrorLogs, Tail } from './error-logs.js';
import { totalDuration } from './intervals.js';
import type { Row, StatusRow } from './row.js';
import { formatLogTime, formatSeconds, formatTransfer } from './units.js';
import { ProgressView } from './view.js';

/** How long a running step keeps the floor while others have news, in milliseconds. */
const TURN_MS = 5000;
/** A bar is printed again after this much progress, or time in milliseconds. */
const BAR_STEP = 0.05;
const BAR_MS = 5000;

export class PlainDisplay implements Display {
  readonly #write: Write;
  readonly #view = new ProgressView();
  readonly #index = new Map<Row, number>();
  readonly #printedStatus = new Map<string, StatusRow>();
  readonly #printedWarnings = new Map<Row, number>();
  readonly #tails = new Map<Row, Tail>();
  #speaker: Row | undefined;
  #speaking = 0;
  /** The last line is open: its newline has not come yet. */
  #first = true;

  constructor(write: Write) {
    this.#write = write;
  }

  update(message: control.StatusResponse): void {
    this.#view.update(message);
    this.refresh();
  }

  refresh(): void {
    const changed = [...this.#view.changed].filter((row) => row.started && !row.hidden);
    const finished = changed.filter((row) => row.completed !== undefined);
    finished.sort(
      (a, b) => Number(b === this.#speaker) - Number(a === this.#speaker) || a.completed! - b.completed!,
    );
    for (const row of finished) this.#speak(row);
    const running = changed.filter((row) => row.completed === undefined);
    const next = this.#mayGoOn() ? running.find((row) => row === this.#speaker) : (running[0] ?? undefined);
    if (next) this.#speak(next);
  }

  done(): void {
    for (const row of this.#view.rows) {
      if (this.#view.changed.has(row) || row === this.#speaker) this.#speak(row, true);
    }
    for (const row of this.#view.rows) printErrorLogs(this.#write, row, this.#tails.get(row)?.lines ?? []);
  }

  /** The present speaker keeps the floor for its turn. */
  #mayGoOn(): boolean {
    return this.#speaker !== undefined && performance.now() - this.#speaking < TURN_MS;
  }

  /** `last` prints the outcome even of a step whose bars never closed. */
  #speak(row: Row, last = false): void {
    this.#view.changed.delete(row);
    if (row !== this.#speaker) this.#giveFloor(row);
    const prefix = `#${this.#number(row)}`;
    const open = this.#printStatuses(row, prefix);
    this.#printWarnings(row, prefix);
    this.#printLogs(row, prefix);
    if (row.completed === undefined || (open && !last)) return;
    this.#write(`${prefix} ${this.#outcome(row)}\n`);
    this.#speaker = undefined;
  }

  #giveFloor(row: Row): void {
    if (this.#speaker) this.#write(`#${this.#number(this.#speaker)} ...\n`);
    if (!this.#first) this.#write('\n');
    this.#first = false;
    this.#write(`#${this.#number(row)} ${row.name}\n`);
    this.#speaker = row;
    this.#speaking = performance.now();
  }

  #number(row: Row): number {
    const known = this.#index.get(row);
    if (known !== undefined) return known;
    this.#index.set(row, this.#index.size + 1);
    return this.#index.size;
  }

  /** Answers whether a bar is still open. */
  #printStatuses(row: Row, prefix: string): boolean {
    let open = false;
    for (const status of row.statuses.values()) {
      if (status.completed === undefined) open = true;
      const key = `${row.id} ${status.id}`;
      const printed = this.#printedStatus.get(key);
      if (printed === status || (printed && !worthPrinting(printed, status))) continue;
      this.#printedStatus.set(key, status);
      this.#write(
        `${prefix} ${[status.id, formatTransfer(status.current, status.total), elapsed(status)].filter(Boolean).join(' ')}\n`,
      );
    }
    return open && row.error === '';
  }

  #printWarnings(row: Row, prefix: string): void {
    const printed = this.#printedWarnings.get(row) ?? 0;
    if (printed === row.warnings.length) return;
    for (const warning of row.warnings.slice(printed)) this.#write(`${prefix} WARN: ${warning}\n`);
    this.#printedWarnings.set(row, row.warnings.length);
  }

  #printLogs(row: Row, prefix: string): void {
    const tail = this.#tails.get(row) ?? new Tail();
    this.#tails.set(row, tail);
    while (row.pending.length > 0) {
      const line = row.pending[0]!;
      // An open line waits for its rest, unless the step ends without one.
      if (!line.complete && row.completed === undefined) break;
      row.pending.shift();
      const text = `${formatLogTime(line.at)} ${line.text}`;
      this.#write(`${prefix} ${text}\n`);
      tail.add(text);
    }
  }

  #outcome(row: Row): string {
    if (row.canceled) return 'CANCELED';
    if (row.error !== '') return `ERROR: ${row.error}`;
    return row.cached ? 'CACHED' : `DONE ${formatSeconds(totalDuration(row.intervals, this.#view.now()))}`;
  }
}

function worthPrinting(printed: StatusRow, status: StatusRow): boolean {
  if (status.completed !== undefined) return printed.completed === undefined;
  const progress = status.total > 0 ? (status.current - printed.current) / status.total : 0;
  return progress >= BAR_STEP || status.timestamp - printed.timestamp >= BAR_MS;
}

function elapsed(status: StatusRow): string {
  const end = status.completed ?? status.timestamp;
  const ms = status.started === undefined ? 0 : end - status.started;
  return [ms > 10 ? formatSeconds(ms) : '', status.completed === undefined ? '' : 'done']
    .filter(Boolean)
    .join(' ');
}
