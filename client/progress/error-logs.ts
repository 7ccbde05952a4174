/** The end of a failed step's log, printed once more when all is over. */
import type { Write } from './display.js';
import type { Row } from './row.js';

const TAIL_LINES = 10;

/** The last lines of a log. */
export class Tail {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
    if (this.lines.length > TAIL_LINES) this.lines.shift();
  }
}

export function printErrorLogs(write: Write, row: Row, lines: readonly string[]): void {
  if (!row.failed) return;
  write(`------\n > ${row.name}:\n${lines.map((line) => `${line}\n`).join('')}------\n`);
}
