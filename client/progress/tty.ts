/**
 * Redraws a block of lines in place: a head line with time and counts, a line per step with its time at the right
 * edge, bars for transfers, and the last lines of what running steps print. Finished steps scroll out of the top
 * when the terminal is low; at the end everything is printed once, in full.
 */
import type { control } from '../../proto/index.js';
import { type Colors, colorsFrom } from './colors.js';
import type { Display, Write } from './display.js';
import { printErrorLogs, Tail } from './error-logs.js';
import { totalDuration } from './intervals.js';
import type { Row, StatusRow } from './row.js';
import { clip, lastLines, printable } from './terminal-text.js';
import { formatSeconds, formatTransfer } from './units.js';
import { ProgressView } from './view.js';

/** Lines of output shown below a running step; `BUILDKIT_TTY_LOG_LINES` changes it. */
const LOG_LINES = 6;
const BAR_CELLS = 12;

export interface TtyOptions {
  readonly write: Write;
  size(): { readonly columns: number; readonly rows: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class TtyDisplay implements Display {
  readonly #options: TtyOptions;
  readonly #colors: Colors;
  readonly #logLines: number;
  readonly #view = new ProgressView();
  readonly #logs = new Map<Row, string>();
  readonly #tails = new Map<Row, Tail>();
  readonly #started = Date.now();
  #drawn = 0;

  constructor(options: TtyOptions) {
    this.#options = options;
    this.#colors = colorsFrom(options.env);
    this.#logLines = Number(options.env.BUILDKIT_TTY_LOG_LINES) || LOG_LINES;
  }

  update(message: control.StatusResponse): void {
    this.#view.update(message);
    for (const row of this.#view.changed) this.#takeLogs(row);
    this.#view.changed.clear();
  }

  refresh(): void {
    const { rows } = this.#options.size();
    this.#draw(this.#fit(Math.max(rows - 2, 3)));
  }

  done(): void {
    this.#draw(this.#view.rows.flatMap((row) => this.#rowLines(row)));
    for (const row of this.#view.rows) {
      printErrorLogs(this.#options.write, row, this.#tails.get(row)?.lines ?? []);
    }
  }

  #takeLogs(row: Row): void {
    const tail = this.#tails.get(row) ?? new Tail();
    this.#tails.set(row, tail);
    for (const line of row.pending.splice(0)) {
      const text = line.complete ? `${line.text}\n` : line.text;
      this.#logs.set(row, lastLines((this.#logs.get(row) ?? '') + text, this.#logLines + 1));
      tail.add(printable(line.text));
    }
  }

  #draw(lines: readonly string[]): void {
    const { columns } = this.#options.size();
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    const all = [this.#head(columns), ...lines];
    // Hide the cursor while drawing; clear what an earlier, longer block left below.
    this.#options.write(`\x1b[?25l${up}\r${all.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J\x1b[?25h`);
    this.#drawn = all.length;
  }

  #head(columns: number): string {
    const { completed, total } = this.#view;
    const finished = total > 0 && completed >= total ? ' FINISHED' : '';
    const text = `[+] Building ${formatSeconds(Date.now() - this.#started)} (${completed}/${total})${finished}`;
    return clip(text, columns);
  }

  /** All rows if there is room; else running and failed ones first, then the newest finished. */
  #fit(height: number): string[] {
    const blocks = this.#view.rows.map((row) => ({
      row,
      lines: [...this.#rowLines(row), ...this.#logBlock(row)],
    }));
    let room = height - blocks.reduce((sum, { lines }) => sum + lines.length, 0);
    const kept = new Set(blocks);
    for (const block of blocks) {
      if (room >= 0) break;
      if (block.row.running || block.row.failed) continue;
      kept.delete(block);
      room += block.lines.length;
    }
    return blocks
      .filter((block) => kept.has(block))
      .flatMap(({ lines }) => lines)
      .slice(-height);
  }

  #rowLines(row: Row): string[] {
    if (row.hidden) return [];
    const ms = totalDuration(row.intervals, this.#view.now());
    const mark = row.canceled ? 'CANCELED ' : row.failed ? 'ERROR ' : row.cached ? 'CACHED ' : '';
    const paint = row.canceled
      ? this.#colors.cancel
      : row.failed
        ? this.#colors.error
        : row.running
          ? this.#colors.run
          : this.#colors.done;
    const name = ` => ${mark}${row.name.replaceAll('\t', ' ')}`;
    return [
      this.#line(name, formatSeconds(ms), paint),
      ...[...row.statuses.values()].map((status) => this.#statusLine(status)),
      ...row.warnings.map((warning) => this.#line(`    WARN: ${warning}`, '', this.#colors.warning)),
    ];
  }

  #statusLine(status: StatusRow): string {
    const end = status.completed ?? this.#view.now();
    const ms = status.started === undefined ? 0 : end - status.started;
    const size = formatTransfer(status.current, status.total);
    const bar = status.completed === undefined && status.total > 0 ? `${drawBar(status)} ` : '';
    const paint = status.completed === undefined ? this.#colors.run : this.#colors.done;
    return this.#line(` => => ${status.id}`, `${bar}${size}${size ? '  ' : ''}${formatSeconds(ms)}`, paint);
  }

  #logBlock(row: Row): string[] {
    const text = row.running ? this.#logs.get(row) : undefined;
    if (!text) return [];
    const { columns } = this.#options.size();
    const lines = text.replace(/\n$/, '').split('\n').slice(-this.#logLines);
    return lines.map((line) => this.#colors.log(clip(` => => # ${printable(line)}`, columns)));
  }

  /** Text at the left, figures at the right edge; the text gives way. */
  #line(left: string, right: string, paint: (text: string) => string): string {
    const { columns } = this.#options.size();
    const room = Math.max(columns - right.length - 2, 8);
    return paint(`${clip(left, room).padEnd(room)} ${right}`);
  }
}

function drawBar({ current, total }: StatusRow): string {
  const share = Math.min(Math.max(current / total, 0), 1);
  const filled = Math.round(share * BAR_CELLS);
  return `${'━'.repeat(filled)}${'─'.repeat(BAR_CELLS - filled)} ${String(Math.floor(share * 100)).padStart(3)}%`;
}
