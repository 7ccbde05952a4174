/** Comparisons as lines of a terminal and as a table of Markdown: seconds, and their ratio to the first daemon's. */
import { type Comparison, median, type Outcome } from './compare.js';
import type { Limit } from './limits.js';

/** Of a failure, in characters. */
const REASON = 160;

export function lines({ workload, outcomes }: Comparison): string {
  const cells = outcomes.map((outcome) => {
    if (outcome.failure !== undefined) return `${outcome.peer}: FAIL ${outcome.failure.slice(0, REASON)}`;
    const processor = outcome.processor === undefined ? '' : `, CPU ${fixed(outcome.processor)}`;
    const least = fixed(Math.min(...outcome.seconds));
    return `${outcome.peer}: ${fixed(median(outcome.seconds))} s${ratio(outcome, outcomes[0])} (min ${least}${processor})`;
  });
  return `${workload.name.padEnd(16)} ${cells.join('   ')}`;
}

export function markdown(comparisons: readonly Comparison[], limits: readonly Limit[]): string {
  const names = comparisons[0]?.outcomes.map(({ peer }) => peer) ?? [];
  const timed = comparisons.some(({ outcomes }) => outcomes.some(({ processor }) => processor !== undefined));
  const head = [
    'workload',
    ...names.map((name) => `${name}, s`),
    ...names.slice(1).map((name) => `${name} ÷ ${names[0]}`),
    ...(timed ? names.map((name) => `${name}, CPU s`) : []),
  ];
  const body = comparisons.map(({ workload, outcomes }) => [
    `\`${workload.name}\`: ${workload.summary}`,
    ...outcomes.map(({ seconds, failure }) =>
      failure === undefined ? fixed(median(seconds)) : `fails: ${failure}`,
    ),
    ...outcomes.slice(1).map((outcome) => ratioOf(outcome, outcomes[0])?.toFixed(2) ?? '–'),
    ...(timed ? outcomes.map(({ processor }) => fixed(processor)) : []),
  ]);
  const tables = [table(head, body)];
  if (limits.length > 0) {
    const rows = limits.map(({ command, summary, seconds }) => [
      `\`${command}\``,
      summary,
      seconds ? fixed(seconds) : '–',
    ]);
    tables.push(table(['program', 'work', 's'], rows));
  }
  return `${tables.join('\n\n')}\n`;
}

const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');

const fixed = (seconds: number | undefined): string => (seconds === undefined ? '–' : seconds.toFixed(3));

const ratio = (outcome: Outcome, first: Outcome | undefined): string => {
  const value = outcome === first ? undefined : ratioOf(outcome, first);
  return value === undefined ? '' : `, x${value.toFixed(2)}`;
};

/** Undefined when one of them failed. */
export function ratioOf(outcome: Outcome, first: Outcome | undefined): number | undefined {
  if (outcome.failure !== undefined || first?.failure !== undefined) return undefined;
  const [ours, theirs] = [median(outcome.seconds), median(first?.seconds ?? [])];
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}
