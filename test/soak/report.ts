import type { SoakOptions } from './options.js';
import { quantities, type Sample } from './sample.js';
import { tell } from './verdict.js';

export interface SoakReport {
  readonly options: SoakOptions;
  readonly seconds: number;
  /** By outcome. */
  readonly builds: Readonly<Record<string, number>>;
  readonly troubles: Readonly<Record<string, number>>;
  readonly samples: readonly Sample[];
  /** What must not have been; empty after a good run. */
  readonly complaints: readonly string[];
  /** What builds said that failed while something was broken on purpose, and how often. */
  readonly excuses: Readonly<Record<string, number>>;
}

/** The samples, one to a column, at most `columns` of them. */
export function table(samples: readonly Sample[], columns = 10): string {
  const step = Math.max(1, (samples.length - 1) / (columns - 1));
  const chosen = [
    ...new Set(Array.from({ length: columns }, (_, i) => Math.min(samples.length - 1, Math.round(i * step)))),
  ];
  const rows = [
    ['sample', ...chosen.map((at) => String(at + 1))],
    ...quantities.map((name) => [name, ...chosen.map((at) => tell(name, samples[at]![name]))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}
