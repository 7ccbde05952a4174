/** A scenario out of a seed: small graphs full of steps that are equal in one way or another. */
import { chain, diamond, fanIn, type Port, type Shape, wideDeep } from '../../bench/shapes.js';
import { Random } from './random.js';
import {
  type Failing,
  type InputSpec,
  type JobSpec,
  noTrouble,
  type OpSpec,
  type Scenario,
  type StepSpec,
  type Trouble,
} from './scenario.js';

export function generate(seed: number): Scenario {
  const random = new Random(seed);
  const calm = random.chance(0.3);
  const graph = new GraphMaker(random, calm);
  for (const ports of shapeOf(random)) graph.add(ports);
  const { ops, steps } = graph;
  return {
    seed,
    ops,
    steps,
    jobs: jobsOf(random, graph, calm),
    trouble: calm ? { ...noTrouble, deaf: random.next() } : troubleOf(random),
    parallelism: random.int(3),
    producersFirst: random.chance(0.2),
  };
}

function shapeOf(random: Random): Shape {
  const size = (): number => 2 + random.int(5);
  switch (random.int(10)) {
    case 0:
      return chain(size());
    case 1:
      return fanIn(size());
    case 2:
      return diamond(size());
    case 3:
      return wideDeep(2 + random.int(2), size());
    default:
      return tangle(random, 3 + random.int(12));
  }
}

function tangle(random: Random, steps: number): Shape {
  return Array.from({ length: steps }, (_, i) =>
    Array.from({ length: i === 0 ? 0 : random.int(4) }, () => ({ step: random.int(i), output: 0 })),
  );
}

class GraphMaker {
  readonly ops: OpSpec[] = [];
  readonly steps: StepSpec[] = [];
  readonly #random: Random;
  readonly #calm: boolean;

  constructor(random: Random, calm: boolean) {
    this.#random = random;
    this.#calm = calm;
  }

  add(ports: readonly Port[]): void {
    const random = this.#random;
    const model = random.chance(0.3) ? this.#modelFor(ports.length) : undefined;
    const read = model ? model.inputs.map((input) => this.#twinOf(input)) : ports;
    const op = model?.op ?? this.#opFor(read.length);
    const inputs = read.map((port, i) => ({
      ...this.port(port.step),
      selector: model?.inputs[i]?.selector ?? (random.chance(0.2) ? `/${random.int(2)}` : ''),
    }));
    this.steps.push({ op, inputs, maps: read.length === 0 ? this.#maps() : ['a'] });
  }

  /** In calm scenarios all steps of one op find out that they are equal. */
  #maps(): readonly string[] {
    const random = this.#random;
    const some = ['b', 'c'].filter(() => random.chance(0.4));
    if (this.#calm) return ['a', ...some];
    const names = some.length === 0 || random.chance(0.5) ? [...some, 'a'] : some;
    return random.chance(0.5) ? names : names.toReversed();
  }

  /** Some output of a step. */
  port(step: number): Port {
    return { step, output: this.#random.int(this.ops[this.steps[step]!.op]!.outputs) };
  }

  /** A step that the next one is to equal. */
  #modelFor(inputs: number): StepSpec | undefined {
    const models = this.steps.filter((step) => step.inputs.length === inputs);
    return models.length > 0 ? this.#random.pick(models) : undefined;
  }

  #twinOf(port: Port): Port {
    const { op } = this.steps[port.step]!;
    const twins = this.steps.flatMap((step, i) => (step.op === op ? i : []));
    return { step: this.#random.pick(twins), output: port.output };
  }

  #opFor(inputs: number): number {
    const known = this.ops.flatMap((op, i) => (op.inputs.length === inputs ? i : []));
    if (known.length > 0 && this.#random.chance(0.6)) return this.#random.pick(known);
    return this.ops.push(this.#newOp(inputs)) - 1;
  }

  #newOp(inputs: number): OpSpec {
    const random = this.#random;
    const builds = this.steps.length > 0 && random.chance(0.1);
    const kinds = Array.from({ length: inputs }, () => (random.chance(0.4) ? 'content' : 'definition'));
    return {
      inputs: kinds,
      outputs: random.chance(0.15) ? 2 : 1,
      heavy: random.chance(0.5),
      builds: builds ? this.port(random.int(this.steps.length)) : undefined,
      fails: !this.#calm && random.chance(0.06) ? failing(random, kinds) : undefined,
      volatile: !this.#calm && inputs === 0 && random.chance(0.1),
      session: random.chance(0.2),
    };
  }
}

const failing = (random: Random, inputs: readonly InputSpec[]): Failing => ({
  where: random.pick(inputs.includes('content') ? ['map', 'digest', 'exec'] : ['map', 'exec']),
  always: random.chance(0.5),
});

function jobsOf(random: Random, graph: GraphMaker, calm: boolean): readonly JobSpec[] {
  const lives = 1 + random.int(3);
  const { length } = graph.steps;
  const target = (): Port => graph.port(random.chance(0.5) ? length - 1 : random.int(length));
  const jobs = Array.from({ length: 2 + random.int(5) }, (): JobSpec => {
    const ignores = !calm && random.chance(0.2) ? [random.int(length)] : [];
    return {
      life: random.int(lives),
      builds: Array.from({ length: random.chance(0.2) ? 2 : 1 }, target),
      ignores,
      leaves: random.chance(0.25) ? random.pick(['cancels', 'is discarded']) : 'never',
    };
  });
  return jobs.toSorted((a, b) => a.life - b.life);
}

const troubleOf = (random: Random): Trouble => ({
  loads: random.chance(0.5) ? 0.3 * random.next() : 0,
  saves: random.chance(0.2) ? 0.3 * random.next() : 0,
  prunes: random.chance(0.3) ? 0.02 * random.next() : 0,
  sessions: random.chance(0.2) ? 0.01 : 0,
  deaf: random.next(),
  crashes: random.chance(0.2),
});
