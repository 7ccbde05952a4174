/**
 * One seed: a build that pulls, pushes and exports its cache, and one that imports that cache, each while its registry is
 * in trouble. Whatever the trouble is: a build succeeds and is right, or fails and says why; nothing wrong is stored or
 * pushed; and afterwards, without trouble, everything works.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '../../index.js';
import { Random } from '../simulation/random.js';
import { describePlan, type FaultPlan, makePlan, noFaults } from '../support/faults/fault.js';
import { type BuildOrder, type FaultWorld, noise } from './fault-world.js';

/** Milliseconds; far more than all tries of all exchanges take. */
const patience = 60_000;

export interface FaultRun {
  readonly seed: number;
  readonly plans: readonly string[];
  /** Of its builds with faults. */
  readonly failures: readonly string[];
  readonly problems: readonly string[];
  readonly struck: number;
}

export async function runFaults(world: FaultWorld, seed: number): Promise<FaultRun> {
  const run = new Run(world, seed);
  await run.export();
  await run.import();
  return run.result();
}

class Run {
  readonly #world: FaultWorld;
  readonly #seed: number;
  readonly #random: Random;
  readonly #plans: string[] = [];
  readonly #failures: string[] = [];
  readonly #problems: string[] = [];
  #struck = 0;
  #expected: Readonly<Record<string, string>> = {};

  constructor(world: FaultWorld, seed: number) {
    this.#world = world;
    this.#seed = seed;
    this.#random = new Random(seed);
  }

  async export(): Promise<void> {
    const tag = `${this.#seed}`;
    const base = await this.#world.putBase('faults/base', tag, this.#random);
    const own = noise(this.#random, 1000 + this.#random.int(100_000));
    const from = `FROM ${this.#world.name('faults/base', tag)}`;
    const folder = await this.#world.write(`context${tag}`, {
      Dockerfile: `${from} AS side\nCOPY own /side\n${from}\nCOPY --from=side /side /both\nCOPY own /own\n`,
      own,
    });
    this.#expected = { ...base, '/both': own, '/own': own };
    const [image, cacheTo] = [this.#world.name('faults/out', tag), this.#world.name('faults/cache', tag)];
    const digest = await this.#withFaults({ folder, image, cacheTo });
    await this.#check(() => this.#world.pushProblems('faults/out', tag, digest));
    await this.#check(() => this.#world.pushProblems('faults/cache', tag));
    await this.#world.forget();
  }

  async import(): Promise<void> {
    const tag = `${this.#seed}`;
    const out = join(this.#world.dir, `out${tag}`);
    const folder = join(this.#world.dir, `context${tag}`);
    await this.#withFaults({ folder, out, cacheFrom: this.#world.name('faults/cache', tag) });
    for (const [name, text] of Object.entries(this.#expected)) {
      const found = await readFile(join(out, name), 'utf8').catch(() => 'no file');
      if (found !== text) this.#problems.push(`${name} of the result is not what it should be`);
    }
    await this.#world.forget();
    const left = await this.#world.records();
    if (left > 0) this.#problems.push(`${left} records cannot be pruned`);
    await rm(folder, { recursive: true });
    await rm(out, { recursive: true, force: true });
  }

  async result(): Promise<FaultRun> {
    await this.#check(() => this.#world.registryProblems());
    const problems = [...this.#problems, ...this.#world.registry.offences.splice(0)];
    return { seed: this.#seed, plans: this.#plans, failures: this.#failures, problems, struck: this.#struck };
  }

  /** Until it has succeeded, at the latest without faults. */
  async #withFaults(order: BuildOrder): Promise<string> {
    const plan = makePlan(this.#random);
    this.#plans.push(describePlan(plan));
    const tried = await this.#build(order, plan);
    await this.#check(() => this.#world.storeProblems());
    if (typeof tried === 'string') return tried;
    this.#failures.push(tried.message);
    this.#judge(tried);
    const again = await this.#build(order, noFaults);
    if (typeof again === 'string') return again;
    this.#problems.push(`it fails without faults: ${again.message}`);
    return '';
  }

  async #build(order: BuildOrder, plan: FaultPlan): Promise<string | Error> {
    this.#world.registry.use(plan);
    const stop = AbortSignal.timeout(patience);
    try {
      return await this.#world.build(order, stop);
    } catch (error) {
      if (stop.aborted) this.#problems.push(`it hangs with ${describePlan(plan)}`);
      return error as Error;
    } finally {
      this.#struck += this.#world.registry.struck.size;
      this.#world.registry.use(noFaults);
    }
  }

  /** An error tells where, what of, and what happened. */
  #judge(error: Error): void {
    const { message } = error;
    const { host, elsewhere } = this.#world.registry;
    if (!(error instanceof BuildError) || error.code === 'unknown')
      this.#problems.push(`an error without a code: ${message}`);
    if (!message.includes(host) && !message.includes(elsewhere))
      this.#problems.push(`no registry is named: ${message}`);
    if (!/faults\/(?:base|out|cache)|\/token/.test(message))
      this.#problems.push(`no repository is named: ${message}`);
    if (!whatHappened.test(message)) this.#problems.push(`it is not said what happened: ${message}`);
    if (passing.test(message) && !/after \d tries/.test(message))
      this.#problems.push(`no tries are counted: ${message}`);
  }

  async #check(find: () => Promise<readonly string[]>): Promise<void> {
    try {
      this.#problems.push(...(await find()));
    } catch (error) {
      this.#problems.push((error as Error).message);
    }
  }
}

const whatHappened =
  /: \d{3}\b|was closed|did not answer in time|no more bytes came|the registry sent|have digest sha256|not found|no image manifest|without a token|unable to decode token|denied/;
const passing = /: (?:408|429|50[0234]) |was closed|in time|no more bytes came/;
