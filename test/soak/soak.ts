/**
 * Clients that build at random for a long time, a daemon that is troubled meanwhile, and a look at it in between. The
 * first part of the time the daemon is restarted and killed as well; then it lives, so that its growth can be seen.
 */
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDaemon } from '../../client/grpc/connect.js';
import { ThreadPool } from '../../core/threads/thread-pool.js';
import { DisposeStack } from '../../core/util/dispose.js';
import { control } from '../../proto/index.js';
import { Ground } from '../integration/support/ground.js';
import {
  cgroupsBelow,
  mountsOf,
  processesBelow,
  processesNaming,
  removeCgroupParent,
} from '../integration/support/leftovers.js';
import { Random } from '../simulation/random.js';
import { SoakClient } from './client.js';
import { DaemonKeeper } from './daemon-keeper.js';
import { Gate } from './gate.js';
import { Journal } from './journal.js';
import type { SoakOptions } from './options.js';
import type { SoakReport } from './report.js';
import { type Sample, sample } from './sample.js';
import { Tally } from './tally.js';
import { makeTrouble } from './troubles.js';
import { growth, untidy } from './verdict.js';

/** Restarts happen in this share of the time. */
const RESTARTING = 0.4;
/** What goes away after a build may take so long. */
const TIDYING_MS = 30_000;
const HISTORY = 20;

export async function soak(options: SoakOptions, tell: (sample: Sample) => void): Promise<SoakReport> {
  await using owned = new DisposeStack();
  const run = await SoakRun.open(options, owned, tell);
  return await run.run();
}

class SoakRun {
  readonly #options: SoakOptions;
  readonly #keeper: DaemonKeeper;
  readonly #clients: readonly SoakClient[];
  readonly #parent: string;
  readonly #tell: (sample: Sample) => void;
  readonly #journal: Journal;
  readonly #tally: Tally;
  readonly #gate = new Gate();
  readonly #random: Random;
  readonly #samples: Sample[] = [];
  /** One of those who stop, kill, prune and look at the daemon at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: {
    readonly options: SoakOptions;
    readonly keeper: DaemonKeeper;
    readonly clients: readonly SoakClient[];
    readonly parent: string;
    readonly tell: (sample: Sample) => void;
    readonly journal: Journal;
    readonly tally: Tally;
  }) {
    this.#options = parts.options;
    this.#keeper = parts.keeper;
    this.#clients = parts.clients;
    this.#parent = parts.parent;
    this.#tell = parts.tell;
    this.#journal = parts.journal;
    this.#tally = parts.tally;
    this.#random = new Random(parts.options.seed);
  }

  static async open(
    options: SoakOptions,
    owned: DisposeStack,
    tell: (sample: Sample) => void,
  ): Promise<SoakRun> {
    const parent = `buildkit-soak-${process.pid}`;
    const ground = await owned.use(await Ground.open('soak'));
    await owned.defer(() => removeCgroupParent(parent));
    const keeper = await owned.use(
      await DaemonKeeper.start({ home: ground.path('daemon'), config: configOf(options, parent) }),
    );
    const threads = await owned.use(new ThreadPool());
    const [journal, tally] = [new Journal(), new Tally()];
    const clients: SoakClient[] = [];
    for (let i = 0; i < options.clients; i++) {
      const name = `client${i}`;
      const site = {
        base: ground.base,
        registry: ground.registry.address,
        context: ground.path(name, 'context'),
        scratch: ground.path(name),
      };
      await mkdir(site.context, { recursive: true });
      const seed = options.seed * 1000 + i;
      clients.push(await owned.use(new SoakClient({ name, site, seed, keeper, journal, tally, threads })));
    }
    return new SoakRun({ options, keeper, clients, parent, tell, journal, tally });
  }

  async run(): Promise<SoakReport> {
    const begun = performance.now();
    const minutes = this.#options.minutes * 60_000;
    const over = AbortSignal.timeout(minutes);
    const troubles = makeTrouble(
      {
        keeper: this.#keeper,
        journal: this.#journal,
        random: this.#random,
        cgroupParent: this.#parent,
        everyMs: Math.min(5000, minutes / 30),
        restartsUntil: begun + minutes * RESTARTING,
        prune: (signal) => this.#prune(signal),
        exclusive: (work) => this.#exclusive(work),
      },
      over,
    );
    await Promise.all([
      troubles,
      ...this.#clients.map((client) => this.#build(client, over)),
      this.#look(over),
    ]);
    await this.#sample();
    await this.#end();
    return {
      options: this.#options,
      seconds: (performance.now() - begun) / 1000,
      builds: this.#tally.counts,
      troubles: this.#journal.counts(),
      samples: this.#samples,
      complaints: [...this.#tally.complaints, ...growth(this.#samples)],
      excuses: Object.fromEntries(this.#tally.excuses),
    };
  }

  async #build(client: SoakClient, over: AbortSignal): Promise<void> {
    while (!over.aborted) await this.#gate.through(() => client.build());
  }

  async #look(over: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(this.#options.every * 1000, undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      await this.#sample();
    }
  }

  /** When nobody builds and nothing is troubled; what is untidy for too long is a complaint. */
  async #sample(): Promise<void> {
    await this.#gate.close();
    try {
      await this.#exclusive(async () => {
        const caps = { cacheBytes: this.#options.cap, history: HISTORY };
        const deadline = performance.now() + TIDYING_MS;
        let seen = await sample(this.#keeper, this.#parent);
        while (untidy(seen, caps).length > 0 && performance.now() < deadline) {
          await sleep(300);
          seen = await sample(this.#keeper, this.#parent);
        }
        this.#samples.push(seen);
        this.#tell(seen);
        for (const what of untidy(seen, caps)) this.#tally.complain(`without builds: ${what}`);
      });
    } finally {
      this.#gate.open();
    }
  }

  async #prune(signal: AbortSignal): Promise<void> {
    await using api = await connectDaemon(this.#keeper.process.address);
    const all = this.#random.chance(0.1);
    const maxUsedSpace = Math.round(this.#options.cap * (0.5 + this.#random.next() / 2));
    const request = control.PruneRequest.create(all ? { all } : { maxUsedSpace });
    try {
      for await (const _ of api.control.prune(request, { signal }));
    } catch (error) {
      if (!signal.aborted) this.#tally.complain(`prune: ${(error as Error).message}`);
    }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** The daemon ends without a trace. */
  async #end(): Promise<void> {
    const { root } = this.#keeper.process;
    const ended = await this.#keeper.process.stop();
    const left = [
      ...(await processesNaming(root)),
      ...(await processesBelow(this.#parent)),
      ...(await cgroupsBelow(this.#parent)),
      ...(await mountsOf(root)),
    ];
    if (ended.code !== 0) this.#tally.complain(`the daemon ended with ${ended.code ?? ended.signal}`);
    for (const what of left) this.#tally.complain(`left by the daemon: ${what}`);
  }
}

const configOf = ({ cap }: SoakOptions, parent: string): string => `
[worker.oci]
defaultCgroupParent = "${parent}"
gc = true
[[worker.oci.gcpolicy]]
all = true
maxUsedSpace = ${cap}
[history]
traces = true
maxAge = "1s"
maxEntries = ${HISTORY}
`;
