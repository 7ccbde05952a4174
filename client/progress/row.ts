/** One row of a display: a vertex, or a progress group that stands for several. */
import { type Interval, mergeIntervals } from './intervals.js';

export interface StatusRow {
  readonly id: string;
  readonly current: number;
  /** 0 when unknown. */
  readonly total: number;
  readonly timestamp: number;
  readonly started: number | undefined;
  readonly completed: number | undefined;
}

export interface LogLine {
  /** Milliseconds since the row started. */
  readonly at: number;
  text: string;
  /** False while its newline has not come. */
  complete: boolean;
}

export class Row {
  readonly id: string;
  name: string;
  cached = false;
  error = '';
  /** A group shows up only once a member that counts has started. */
  hidden = false;
  readonly statuses = new Map<string, StatusRow>();
  readonly warnings: string[] = [];
  /** Lines that no display has taken yet. */
  readonly pending: LogLine[] = [];
  readonly #intervals = new Map<number, Interval>();
  #merged: readonly Interval[] = [];

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  get intervals(): readonly Interval[] {
    return this.#merged;
  }

  get started(): boolean {
    return this.#merged.length > 0;
  }

  /** When the newest interval ended, if it has. */
  get completed(): number | undefined {
    return this.#merged.at(-1)?.stop;
  }

  get running(): boolean {
    return this.started && this.completed === undefined;
  }

  get canceled(): boolean {
    return this.error.endsWith('context canceled');
  }

  get failed(): boolean {
    return this.error !== '' && !this.canceled;
  }

  /** A later message about the same start replaces the earlier one. */
  addInterval(start: number, stop: number | undefined): void {
    this.#intervals.set(start, { start, stop });
    this.#merged = mergeIntervals(this.#intervals.values());
  }

  addLog(timestamp: number, text: string): void {
    const at = timestamp - (this.#merged.at(-1)?.start ?? timestamp);
    const parts = text.split('\n');
    for (const [index, part] of parts.entries()) {
      const last = index === parts.length - 1;
      if (last && part === '') break;
      const open = this.pending.at(-1);
      if (open && !open.complete) {
        open.text += part;
        open.complete = !last;
      } else this.pending.push({ at, text: part, complete: !last });
    }
  }
}
