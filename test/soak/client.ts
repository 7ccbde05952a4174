/** One of the clients: build after build, some of them broken off, and a look at each result. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon } from '../../client/daemon.js';
import { connectDaemon } from '../../client/grpc/connect.js';
import type { Threads } from '../../core/contracts/threads.js';
import { Random } from '../simulation/random.js';
import { attemptByCommand, attemptHere, type Departure, type LeaveAfter, type Outcome } from './attempt.js';
import { ChangingContext } from './context.js';
import type { DaemonKeeper } from './daemon-keeper.js';
import { chooseCaches, chooseDestination, type Destination } from './destinations.js';
import { dockerfilePlan } from './dockerfile-plan.js';
import { differences } from './file-set.js';
import { graphPlan } from './graph-plan.js';
import type { Journal } from './journal.js';
import type { Plan, Site } from './plan.js';
import { Relay } from './relay.js';
import type { Tally } from './tally.js';

/** A build that takes longer hangs. */
const PATIENCE_MS = 180_000;
/** On a machine that does much else. */
const CONNECT_MS = 30_000;
/** So many of the builds are repeated by other clients, or later. */
const WORDS_OF_ALL = 24;

export interface ClientOptions {
  readonly name: string;
  readonly site: Site;
  readonly seed: number;
  readonly keeper: DaemonKeeper;
  readonly journal: Journal;
  readonly tally: Tally;
  readonly threads: Threads;
}

export class SoakClient implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #random: Random;
  readonly #context: ChangingContext;
  #connection: { readonly life: number; readonly daemon: Daemon; readonly relay: Relay } | undefined;
  #relays = 0;
  #builds = 0;
  /** Milliseconds of a build that nobody breaks off. */
  #usual = 1000;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#context = new ChangingContext(options.site.context, this.#random);
  }

  /** The next build, however it ends. */
  async build(): Promise<void> {
    const { name, site, journal, tally } = this.#options;
    const begun = performance.now();
    const plan = await this.#plan();
    const destination = await chooseDestination(site, this.#random, name);
    const { failure, departed } = await this.#attempt(plan, destination);
    const complaint = await this.#complaint(plan, destination, { failure, departed });
    const troubles = journal.since(begun);
    if (complaint === undefined) tally.count(failure === undefined ? 'built' : 'failed as meant');
    else if (departed) tally.count('left by their clients');
    // Nothing is an excuse for a result that is wrong.
    else if (failure !== undefined && troubles.length > 0) tally.excuse(troubles, complaint);
    else tally.complain(`${name}, build ${this.#builds}, ${destination.about}: ${complaint}\n${plan.about}`);
    if (failure === undefined) this.#usual = 0.8 * this.#usual + 0.2 * (performance.now() - begun);
    // What was cut may not have noticed yet.
    if (failure !== undefined || departed) await this.#disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disconnect();
  }

  async #plan(): Promise<Plan> {
    const { name, site } = this.#options;
    const own = this.#random.chance(0.7);
    const context = own && this.#random.chance(0.7) ? await this.#context.change() : new Map();
    const number = own ? this.#builds++ : this.#random.int(WORDS_OF_ALL);
    const word = own ? `${name}n${number}` : `all${number}`;
    const random = own ? this.#random : new Random(number);
    const plan = random.chance(0.5)
      ? await dockerfilePlan(site, random, word, context)
      : graphPlan(site, random, word, context);
    return { ...plan, caches: chooseCaches(site, this.#random) };
  }

  async #attempt(plan: Plan, destination: Destination): Promise<Outcome> {
    const { keeper } = this.#options;
    const departure = this.#random.pick<Departure | undefined>([
      ...(['cancel', 'cut', 'interrupt', 'kill'] as const),
      ...Array.from({ length: 12 }, () => undefined),
    ]);
    const patience = new AbortController();
    let stuck: string | undefined;
    // The daemon is asked while the build still waits: it forgets builds that are given up.
    const timer = setTimeout(async () => {
      const pages = ['/debug/requests', '/debug/tasks'].map((page) => keeper.ask(page).catch(String));
      stuck = (await Promise.all(pages)).join('\n');
      patience.abort();
    }, PATIENCE_MS);
    const after = this.#leaving(departure !== undefined);
    const byCommand = departure
      ? departure === 'interrupt' || departure === 'kill'
      : this.#random.chance(0.2);
    const outcome = byCommand
      ? await attemptByCommand(
          keeper.process.address,
          plan,
          destination,
          { after, by: departure === 'kill' ? 'SIGKILL' : 'SIGINT' },
          patience.signal,
        )
      : await this.#attemptHere(plan, destination, after, departure === 'cut', patience.signal);
    clearTimeout(timer);
    if (stuck !== undefined) {
      const how = byCommand ? 'by buildctl' : 'by the library';
      this.#options.tally.complain(
        `a build hangs, ${how}, ${departure ?? 'staying'}, ${destination.about}: ${plan.about}\n${stuck}`,
      );
    }
    return outcome;
  }

  async #attemptHere(
    plan: Plan,
    destination: Destination,
    after: LeaveAfter,
    cut: boolean,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const connection = await this.#connect().catch((error: unknown) => error as Error);
    if (connection instanceof Error) return { failure: connection.message, departed: false };
    const leaving = cut ? { after, cut: () => connection.relay.cut() } : { after };
    return attemptHere(connection.daemon, plan, destination, leaving, signal);
  }

  #leaving(wanted: boolean): LeaveAfter {
    const afterMs = this.#random.next() * this.#usual * 1.5;
    return (leave) => {
      const timer = wanted ? setTimeout(leave, afterMs) : undefined;
      return { [Symbol.dispose]: () => clearTimeout(timer) };
    };
  }

  /** What is not as it should be. */
  async #complaint(
    { expected }: Plan,
    { read }: Destination,
    { failure, departed }: Outcome,
  ): Promise<string | undefined> {
    if ('fails' in expected) {
      if (failure === undefined) return 'it succeeded, and one of its steps fails';
      return expected.fails.test(failure) ? undefined : failure;
    }
    if (failure !== undefined) return failure;
    if (departed || !read) return undefined;
    const found = await read().catch((error: unknown) => error as Error);
    if (found instanceof Error) return `its result cannot be read: ${found.message}`;
    const wrong = differences(expected.files, found);
    return wrong.length === 0 ? undefined : `its result is wrong:\n${wrong.join('\n')}`;
  }

  async #connect(): Promise<{ readonly daemon: Daemon; readonly relay: Relay }> {
    const { keeper, site, threads } = this.#options;
    if (this.#connection?.life === keeper.lives) return this.#connection;
    await this.#disconnect();
    const path = join(site.scratch, `relay${this.#relays++}.sock`);
    await rm(path, { force: true });
    const relay = await Relay.open(path, keeper.process.address.slice('unix://'.length));
    const life = keeper.lives;
    try {
      const daemon = await connectDaemon(relay.address, { threads, timeoutMs: CONNECT_MS });
      this.#connection = { life, daemon, relay };
      return this.#connection;
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.daemon[Symbol.asyncDispose]();
    await connection?.relay[Symbol.asyncDispose]();
  }
}
