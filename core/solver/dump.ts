/** The facts of all live tasks, one task a line. */
import { explain } from './explain.js';
import { stageName } from './stage.js';
import type { Output, Task } from './task.js';

const header = ['vertex', 'name', 'outcome', 'outputs', 'inputs', 'running', 'jobs', 'because'];

export function dump(tasks: Iterable<Task>): string {
  const rows = [header, ...[...tasks].map(row)];
  const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function row(task: Task): string[] {
  const { outcome, because } = explain(task);
  return [
    task.digest.slice(0, 19),
    task.name.length > 40 ? `${task.name.slice(0, 39)}…` : task.name,
    outcome,
    task.outputs.map(outputFacts).join(' '),
    `${task.inputs.length - task.resultsMissing}/${task.inputs.length}`,
    task.effects.map(({ aborted, name }) => (aborted ? `(${name})` : name)).join(','),
    task.jobs.map(({ id }) => id).join(','),
    task.leader ? `follows ${task.leader.digest.slice(0, 19)}` : because,
  ];
}

const outputFacts = (output: Output): string =>
  `${output.index}:${stageName(output.reached)}<${stageName(output.wanted)}/${output.keys.length}k${output.records.length}r`;
