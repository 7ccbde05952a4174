/** The bench itself, in a process without a loader (main.ts). */
import { parseArgs } from 'node:util';
import { benchDockerfile } from './dockerfile.js';
import { measure, sample } from './measure.js';
import { solverScenarios as scenarios } from './scenarios.js';

const { values } = parseArgs({ options: { filter: { type: 'string', default: '' } } });
const chosen = scenarios.filter(({ name }) => name.includes(values.filter));
const withDockerfile = 'dockerfile'.includes(values.filter);
if (chosen.length === 0 && !withDockerfile) {
  const known = [...scenarios.map(({ name }) => name), 'dockerfile'];
  console.error(`no scenario has "${values.filter}" in its name: ${known.join('; ')}`);
  process.exit(1);
}

const columns = [24, 9, 9, 8, 7, 7, 9, 9, 8, 8, 8, 8] as const;
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(columns[0]) : cell.padStart(columns[i] ?? 8))).join(' ');
const figure = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 });

async function benchSolver(): Promise<void> {
  console.log(
    row([
      'scenario',
      'vertices',
      'ms',
      '±',
      'µs each',
      'x10',
      'turns',
      'queries',
      'maps',
      'digests',
      'runs',
      'loads',
    ]),
  );
  // Compiled before anything is timed.
  for (const scenario of scenarios) await sample(scenario, 300);
  for (const scenario of chosen) {
    const { name, size } = scenario;
    const small = await measure(scenario, size / 10);
    const { median, spread, counts } = await measure(scenario, size);
    console.log(
      row([
        name,
        figure(size),
        median.toFixed(1),
        (spread / 2).toFixed(1),
        ((1000 * median) / size).toFixed(1),
        (median / small.median).toFixed(1),
        ...Object.values(counts).map(figure),
      ]),
    );
  }
}

if (chosen.length > 0) await benchSolver();
if (withDockerfile) await benchDockerfile(console.log);
