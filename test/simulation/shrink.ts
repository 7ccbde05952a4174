/** Makes a failing scenario as small as it can while it still breaks the same invariant. */
import type { Port } from '../../bench/shapes.js';
import { type JobSpec, noTrouble, type OpSpec, type Scenario, type StepSpec } from './scenario.js';
import { type Outcome, type SimulationOptions, simulate } from './simulate.js';

/** A smaller scenario takes another course with the same seed: so many seeds are tried. */
const attempts = 40;

export async function shrink(scenario: Scenario, options: SimulationOptions): Promise<Scenario> {
  const { violation } = await simulate(scenario, options);
  if (!violation) return scenario;
  const fails = async (candidate: Scenario): Promise<Scenario | undefined> => {
    for (let i = 0; i < attempts; i++) {
      const seeded = { ...candidate, seed: candidate.seed + i };
      const outcome: Outcome = await simulate(seeded, options);
      if (outcome.violation?.invariant === violation.invariant) return seeded;
    }
    return undefined;
  };
  let smallest = scenario;
  for (let next: Scenario | undefined = scenario; next; ) {
    smallest = next;
    next = undefined;
    for (const candidate of smallerThan(smallest)) {
      next = await fails(candidate);
      if (next) break;
    }
  }
  return smallest;
}

/** One thing less each: jobs first, then vertices, then what may go wrong. */
function* smallerThan(scenario: Scenario): Iterable<Scenario> {
  const { jobs, steps, trouble } = scenario;
  for (const i of jobs.keys()) if (jobs.length > 1) yield { ...scenario, jobs: without(jobs, i) };
  for (const i of steps.keys()) yield* withoutStep(scenario, i);
  for (const [i, job] of jobs.entries()) {
    for (const simpler of simplerJobs(job)) yield { ...scenario, jobs: jobs.with(i, simpler) };
  }
  for (const knob of Object.keys(noTrouble) as (keyof typeof noTrouble)[]) {
    if (trouble[knob]) yield { ...scenario, trouble: { ...trouble, [knob]: noTrouble[knob] } };
  }
  if (scenario.parallelism > 0) yield { ...scenario, parallelism: 0 };
  yield* simplerGraphs(scenario);
}

function* simplerJobs(job: JobSpec): Iterable<JobSpec> {
  for (const i of job.builds.keys())
    if (job.builds.length > 1) yield { ...job, builds: without(job.builds, i) };
  if (job.ignores.length > 0) yield { ...job, ignores: [] };
  if (job.leaves !== 'never') yield { ...job, leaves: 'never' };
  if (job.life > 0) yield { ...job, life: 0 };
}

function* simplerGraphs(scenario: Scenario): Iterable<Scenario> {
  const { steps, ops } = scenario;
  for (const [i, step] of steps.entries()) {
    if (step.maps.length > 1)
      yield { ...scenario, steps: steps.with(i, { ...step, maps: step.maps.slice(0, 1) }) };
    if (step.inputs.some(({ selector }) => selector)) {
      const inputs = step.inputs.map((input) => ({ ...input, selector: '' }));
      yield { ...scenario, steps: steps.with(i, { ...step, inputs }) };
    }
  }
  for (const [i, op] of ops.entries()) {
    for (const simpler of simplerOps(op)) yield { ...scenario, ops: ops.with(i, simpler) };
  }
}

function* simplerOps(op: OpSpec): Iterable<OpSpec> {
  if (op.builds) yield { ...op, builds: undefined };
  if (op.fails) yield { ...op, fails: undefined };
  if (op.volatile) yield { ...op, volatile: false };
  if (op.session) yield { ...op, session: false };
  if (op.heavy) yield { ...op, heavy: false };
}

/** Takes out a step that nothing refers to, or lets whatever does refer to one of its inputs instead. */
function* withoutStep(scenario: Scenario, gone: number): Iterable<Scenario> {
  const { steps, jobs, ops } = scenario;
  const used = [
    ...steps.flatMap(({ inputs }) => inputs),
    ...jobs.flatMap(({ builds }) => builds),
    ...ops.flatMap(({ builds }) => builds ?? []),
  ].some(({ step }) => step === gone);
  const substitutes: readonly Port[] = used ? steps[gone]!.inputs : [{ step: 0, output: 0 }];
  for (const substitute of substitutes) {
    const move = <P extends Port>(port: P): P => {
      const target = port.step === gone ? { ...port, ...pick(substitute) } : port;
      return { ...target, step: target.step > gone ? target.step - 1 : target.step };
    };
    yield {
      ...scenario,
      steps: without(steps, gone).map((step): StepSpec => ({ ...step, inputs: step.inputs.map(move) })),
      jobs: jobs.map((job) => ({
        ...job,
        builds: job.builds.map(move),
        ignores: job.ignores.filter((step) => step !== gone).map((step) => (step > gone ? step - 1 : step)),
      })),
      ops: ops.map((op) => ({ ...op, builds: op.builds && move(op.builds) })),
    };
  }
}

const pick = ({ step, output }: Port): Port => ({ step, output });

const without = <T>(items: readonly T[], at: number): T[] => items.filter((_, i) => i !== at);
