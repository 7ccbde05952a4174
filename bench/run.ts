/** The bench itself, in a process without a loader (main.ts). */
import { Command } from 'commander';
import { benchDockerfile } from './dockerfile.js';
import { type Figures, GROWTH_LIMIT, measure } from './measure.js';
import { type BenchScenario, solverScenarios } from './scenarios.js';

const program = new Command('npm run bench --')
  .description('How long the scheduler and the Dockerfile frontend take, with steps that take no time.')
  .option('--filter <text>', 'only scenarios that have this in their names', '')
  .option('--list', 'name the scenarios, and run none')
  .addHelpText('after', '\nWhat the columns say: bench/README.md')
  .showHelpAfterError('(--help says what there is)')
  .allowExcessArguments(false)
  .parse();
const { filter, list } = program.opts<{ readonly filter: string; readonly list?: true }>();

const dockerfile = 'dockerfile';
const names = [...solverScenarios.map(({ name }) => name), dockerfile];
const chosen = new Set(names.filter((name) => name.includes(filter)));
if (chosen.size === 0)
  program.error(`no scenario has "${filter}" in its name; there are: ${names.join('; ')}`);

if (list) {
  console.log([...chosen].join('\n'));
} else {
  const scenarios = solverScenarios.filter(({ name }) => chosen.has(name));
  if (scenarios.length > 0) await benchSolver(scenarios);
  if (chosen.has(dockerfile)) await benchDockerfile(console.log);
}

async function benchSolver(scenarios: readonly BenchScenario[]): Promise<void> {
  console.log(
    row('scenario', [
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
  const fast: string[] = [];
  for (const scenario of scenarios) {
    const figures = await measure(scenario);
    console.log(row(scenario.name, cells(scenario, figures)));
    if (figures.growth > GROWTH_LIMIT) fast.push(scenario.name);
  }
  if (fast.length > 0) console.log(`x10 over ${GROWTH_LIMIT}, which is no linear growth: ${fast.join('; ')}`);
}

function cells({ size }: BenchScenario, { median, spread, growth, counts }: Figures): readonly string[] {
  const times = [median, spread / 2, (1000 * median) / size, growth].map((value) => value.toFixed(1));
  return [figure(size), ...times, ...Object.values(counts).map(figure)];
}

function row(name: string, rest: readonly string[]): string {
  return [name.padEnd(24), ...rest.map((cell) => cell.padStart(8))].join(' ');
}

function figure(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 0 });
}
