/** Builds of every kind, each one new to the cache, and a third of them cancelled at some moment. */
import { build } from '../../../client/build.js';
import type { Daemon } from '../../../client/daemon.js';
import { programOf } from '../../../client/gateway/index.js';
import { image, local, marshal, type State } from '../../../client/llb/index.js';
import type { Frontend } from '../../../core/contracts/frontend.js';
import type { Random } from '../../simulation/random.js';
import type { Ground } from '../support/ground.js';

export interface Tally {
  readonly built: number;
  readonly failed: number;
  readonly canceled: number;
}

export class ManyBuilds {
  readonly #ground: Ground;
  readonly #random: Random;
  readonly #folder: string;
  #next = 0;
  /** Milliseconds that builds take which nobody cancels. */
  #usual = 500;

  private constructor(ground: Ground, random: Random, folder: string) {
    this.#ground = ground;
    this.#random = random;
    this.#folder = folder;
  }

  static async open(ground: Ground, random: Random): Promise<ManyBuilds> {
    const dockerfile = [
      `FROM ${ground.base} AS one`,
      'ARG ROUND',
      'RUN echo $ROUND >/one; (sleep 100 &)',
      `FROM ${ground.base}`,
      'ARG ROUND',
      'COPY . /context',
      'COPY --from=one /one /one',
      'RUN --mount=type=cache,target=/cache --mount=type=secret,id=key cat /run/secrets/key >/cache/$ROUND',
    ].join('\n');
    const folder = await ground.write('context', { Dockerfile: dockerfile, file: 'content' });
    return new ManyBuilds(ground, random, folder);
  }

  /** So many more, by all clients at once. */
  async run(count: number, clients: readonly Daemon[]): Promise<Tally> {
    const tally = { built: 0, failed: 0, canceled: 0 };
    let left = count;
    await Promise.all(
      clients.map(async (client) => {
        while (left-- > 0) tally[await this.#one(client, this.#next++)]++;
      }),
    );
    return tally;
  }

  async #one(client: Daemon, round: number): Promise<keyof Tally> {
    const stop = new AbortController();
    const timer =
      round % 3 === 2 ? setTimeout(() => stop.abort(), this.#random.next() * this.#usual * 1.5) : undefined;
    const begun = performance.now();
    try {
      await this.#kinds[round % this.#kinds.length]!(client, `${round}`, stop.signal);
      this.#usual = 0.8 * this.#usual + 0.2 * (performance.now() - begun);
      return 'built';
    } catch (error) {
      if (stop.signal.aborted) return 'canceled';
      if (!(error as Error).message.includes('exit code: 7')) throw error;
      return 'failed';
    } finally {
      clearTimeout(timer);
    }
  }

  readonly #kinds: readonly ((client: Daemon, round: string, signal: AbortSignal) => Promise<unknown>)[] = [
    (client, round, signal) => this.#dockerfile(client, round, signal),
    (client, round, signal) => this.#definition(client, this.#steps(round), signal),
    (client, round, signal) => this.#definition(client, this.#failing(round), signal),
    (client, round, signal) => this.#containers(client, round, signal),
    (client, round, signal) => this.#hanging(client, round, signal),
  ];

  #dockerfile(client: Daemon, round: string, signal: AbortSignal): Promise<unknown> {
    const path = this.#ground.path('out', `${round}`);
    return build(
      client,
      {
        frontend: 'dockerfile.v0',
        opts: { 'build-arg:ROUND': round },
        offer: {
          folders: new Map([
            ['context', this.#folder],
            ['dockerfile', this.#folder],
          ]),
          secrets: new Map([['key', { data: Buffer.from(round) }]]),
        },
        exports: [
          Number(round) % 2 === 0
            ? { type: 'local', attrs: {}, target: { kind: 'folder', path } }
            : { type: 'oci', attrs: {}, target: { kind: 'file', path: `${path}.tar` } },
        ],
        watch: async (messages) => {
          for await (const _ of messages);
        },
      },
      signal,
    );
  }

  #definition(client: Daemon, state: State, signal: AbortSignal): Promise<unknown> {
    const folders = new Map([['context', this.#folder]]);
    const secrets = new Map([['key', { data: Buffer.from('secret') }]]);
    return build(client, { definition: marshal(state), offer: { folders, secrets } }, signal);
  }

  #shell(script: string): readonly string[] {
    return ['/bin/sh', '-c', script];
  }

  #steps(round: string): State {
    const base = image(this.#ground.base);
    const first = base.run({
      args: this.#shell(`echo ${round} >/tmp/round; cat /context/file /run/secrets/key`),
      mounts: [{ target: '/context', source: local('context'), readonly: true }],
      secrets: [{ id: 'key', target: '/run/secrets/key' }],
    });
    return first
      .root()
      .run({
        args: this.#shell(`echo ${round} >>/cache/log; yes | head -c 100000`),
        mounts: [
          {
            target: '/cache',
            cache: { id: 'leaks', sharing: Number(round) % 2 === 0 ? 'locked' : 'shared' },
          },
        ],
      })
      .root();
  }

  #failing(round: string): State {
    return image(this.#ground.base)
      .run({ args: this.#shell(`echo ${round}; sleep 100 & exit 7`) })
      .root();
  }

  async #hanging(client: Daemon, round: string, signal: AbortSignal): Promise<unknown> {
    const after = AbortSignal.timeout(Math.floor(this.#random.next() * 300));
    const state = image(this.#ground.base)
      .run({ args: this.#shell(`echo ${round}; exec sleep 100`) })
      .root();
    try {
      return await this.#definition(client, state, AbortSignal.any([signal, after]));
    } catch (error) {
      if (after.aborted) return undefined;
      throw error;
    }
  }

  /** A frontend that leaves its container, and a process in it, to be cleaned up. */
  #containers(client: Daemon, round: string, signal: AbortSignal): Promise<unknown> {
    const frontend: Frontend = {
      solve: async (gateway, _request, until) => {
        const state = image(this.#ground.base)
          .run({ args: this.#shell(`echo ${round} >/round`) })
          .root();
        const { ref } = await gateway.solve({ definition: marshal(state) }, until);
        const box = await gateway.newContainer({ mounts: [{ dest: '/', ref }] }, until);
        const io = { stdout: () => {}, stderr: () => {} };
        await box.start({ args: ['sleep', '100'] }, io, until);
        const second = await box.start({ args: ['cat', '/round'] }, io, until);
        await second.ended;
        return { ref, metadata: new Map() };
      },
    };
    return build(client, { program: programOf(frontend) }, signal);
  }
}
