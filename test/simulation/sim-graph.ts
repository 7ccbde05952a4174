/** The vertices of a scenario as one job sees them, with ops that do what the oracle says, when the simulation lets them. */
import { BuildError } from '../../core/contracts/errors.js';
import type { CacheMap, CacheMapDep, Op, OpContext, Result, Vertex } from '../../core/solver/op.js';
import { type Digest, sha256 } from '../../core/util/digest.js';
import { applied, contentOf, outputOf, readAs } from './oracle.js';
import type { Random } from './random.js';
import type { Failing, JobSpec, OpSpec, Scenario } from './scenario.js';
import type { SimEffects } from './sim-effects.js';
import { type LiveResults, SimResult, textOf } from './sim-results.js';

export interface SimVertex extends Vertex {
  readonly step: number;
}

export interface SimHost {
  readonly effects: SimEffects;
  readonly random: Random;
  readonly results: LiveResults;
  /** Sessions whose client went away. */
  readonly lost: ReadonlySet<string>;
}

export function makeGraph(scenario: Scenario, { ignores }: JobSpec, host: SimHost): readonly SimVertex[] {
  const vertices: SimVertex[] = [];
  scenario.steps.forEach(({ inputs }, step) => {
    vertices.push({
      step,
      digest: digestOf(`vertex ${step}`),
      name: `s${step}`,
      inputs: inputs.map((port) => ({ vertex: vertices[port.step]!, index: port.output })),
      outputs: opOf(scenario, step).outputs,
      ignoreCache: ignores.includes(step),
      exportCache: undefined,
      progressGroup: undefined,
      description: {},
      op: new SimOp(scenario, step, vertices, host),
    });
  });
  return vertices;
}

class SimOp implements Op {
  readonly heavy: boolean;
  readonly #scenario: Scenario;
  readonly #step: number;
  readonly #op: OpSpec;
  readonly #graph: readonly SimVertex[];
  readonly #host: SimHost;

  constructor(scenario: Scenario, step: number, graph: readonly SimVertex[], host: SimHost) {
    this.#scenario = scenario;
    this.#step = step;
    this.#op = opOf(scenario, step);
    this.#graph = graph;
    this.#host = host;
    this.heavy = this.#op.heavy;
  }

  async cacheMap(
    index: number,
    context: OpContext,
  ): Promise<{ readonly map: CacheMap; readonly done: boolean }> {
    await this.#work('map', context);
    const { op, maps, inputs } = this.#scenario.steps[this.#step]!;
    const name = `op ${op} ${maps[index]}`;
    const digest: Digest = this.#op.volatile ? `random:${op}-${this.#host.random.int(1e9)}` : digestOf(name);
    const deps = inputs.map(({ selector }, i) => this.#dep(i, selector));
    return { map: { digest, deps }, done: index + 1 >= maps.length };
  }

  async exec(inputs: readonly (Result | undefined)[], context: OpContext): Promise<readonly Result[]> {
    await this.#work('exec', context);
    const { op, inputs: specs } = this.#scenario.steps[this.#step]!;
    const built = await this.#build(context);
    const read = specs.map(({ selector }, i) => readAs(this.#op, i, textOf(inputs[i]), selector));
    const value = applied(op, read, built);
    return Array.from(
      { length: this.#op.outputs },
      (_, output) => new SimResult(this.#host.results, outputOf(this.#op, value, output)),
    );
  }

  #dep(input: number, selector: string): CacheMapDep {
    const byContent = this.#op.inputs[input] === 'content';
    return {
      selector: selector === '' ? undefined : digestOf(selector),
      contentDigest: byContent
        ? async (result, context) => {
            await this.#work('digest', context);
            return digestOf(contentOf(textOf(result), selector));
          }
        : undefined,
    };
  }

  async #build(context: OpContext): Promise<string | undefined> {
    const { builds } = this.#op;
    if (!builds) return undefined;
    const result = await context.build({ vertex: this.#graph[builds.step]!, index: builds.output });
    const value = textOf(result);
    await result![Symbol.asyncDispose]();
    return value;
  }

  async #work(where: Failing['where'], { signal, sessions }: OpContext): Promise<void> {
    const { effects, random, lost } = this.#host;
    await effects.pause(`${where} of s${this.#step} goes on`, signal);
    if (this.#op.session && sessions.ids().every((id) => lost.has(id))) {
      throw new BuildError('session.lost', 'no session is left', { grpcCode: 'Unavailable' });
    }
    const { fails } = this.#op;
    if (fails?.where === where && (fails.always || random.chance(0.5)))
      throw new Error(brokenBy(this.#opNumber));
  }

  get #opNumber(): number {
    return this.#scenario.steps[this.#step]!.op;
  }
}

export const brokenBy = (op: number): string => `op ${op} is broken`;

const opOf = ({ ops, steps }: Scenario, step: number): OpSpec => ops[steps[step]!.op]!;

const digests = new Map<string, Digest>();

function digestOf(text: string): Digest {
  const known = digests.get(text);
  if (known) return known;
  const digest = sha256(text);
  digests.set(text, digest);
  return digest;
}
