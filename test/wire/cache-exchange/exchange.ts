/** One build: its cache is exported by one daemon, and imported by another one that has forgotten everything. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeDefinition, marshal } from '../../../client/llb/index.js';
import { type Step, stepsOf } from '../../integration/support/build.js';
import { run, succeed } from '../../integration/support/processes.js';
import type { World } from '../compatibility/world.js';
import type { ExchangedBuild } from './builds.js';

export interface Peer {
  /** `BuildKit` or `here`. */
  readonly name: string;
  readonly address: string;
}

/** How a cache is written, and where it is found. */
export interface Way {
  readonly name: string;
  /** `PLACE` is a repository or folder of the build. */
  readonly to: readonly string[];
  readonly from: string;
}

export const ways: readonly Way[] = [
  {
    name: 'registry, max',
    to: ['--export-cache=type=registry,ref=PLACE:max,mode=max'],
    from: 'type=registry,ref=PLACE:max',
  },
  {
    name: 'registry, min',
    to: ['--export-cache=type=registry,ref=PLACE:min'],
    from: 'type=registry,ref=PLACE:min',
  },
  {
    name: 'folder, max',
    to: ['--export-cache=type=local,dest=FOLDER,mode=max'],
    from: 'type=local,src=FOLDER',
  },
  {
    name: 'inline',
    to: ['--export-cache=type=inline', '--output=type=image,name=PLACE:image,push=true'],
    from: 'type=registry,ref=PLACE:image',
  },
];

/** Milliseconds that a build may take. */
const PATIENCE = 120_000;

export class Exchange {
  readonly #build: ExchangedBuild;
  readonly #world: World;
  readonly #client: string;
  readonly #dir: string;
  readonly #slug: string;

  constructor(build: ExchangedBuild, world: World, client: string) {
    this.#build = build;
    this.#world = world;
    this.#client = client;
    this.#slug = build.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    this.#dir = join(world.dir, 'exchange', this.#slug);
    this.#write();
  }

  /** Writes the cache in one of the ways. */
  async export(by: Peer, way: Way): Promise<void> {
    await this.#forget(by);
    const steps = await this.#run(by, by, way.to);
    if (!steps.some(hasRun)) throw new Error(`${by.name} has not forgotten "${this.#build.name}"`);
  }

  /** The names of the steps that ran although their cache was imported. */
  async import(by: Peer, writtenBy: Peer, way: Way): Promise<readonly string[]> {
    await this.#forget(by);
    const steps = await this.#run(by, writtenBy, [`--import-cache=${way.from}`]);
    const failed = steps.find(({ name, error }) => name.startsWith('importing cache') && error !== '');
    if (failed) return [`${failed.name}: ${failed.error}`];
    return steps.filter(hasRun).map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #forget({ address }: Peer): Promise<unknown> {
    return succeed(this.#client, ['--addr', address, 'prune', '--all']);
  }

  async #run({ address }: Peer, writtenBy: Peer, args: readonly string[]): Promise<readonly Step[]> {
    const { dockerfile, llb, files = {} } = this.#build;
    const context = join(this.#dir, 'context');
    const locals = dockerfile !== undefined || Object.keys(files).length > 0;
    const platform = { os: 'linux', architecture: 'amd64' };
    const { sources } = this.#world;
    const place = `${sources.registry}/exchange/${this.#slug}-${writtenBy.name.toLowerCase()}`;
    const folder = join(this.#dir, writtenBy.name);
    const all = [
      ...['--addr', address, 'build', '--progress=rawjson'],
      ...(llb ? [] : ['--frontend=dockerfile.v0']),
      ...(locals ? [`--local=context=${context}`, `--local=dockerfile=${context}`] : []),
      ...[...(this.#build.args ?? []), ...args].map((text) =>
        this.#filled(text).replace('PLACE', place).replace('FOLDER', folder).replace('CONTEXT', context),
      ),
    ];
    const finished = await run(this.#client, all, {
      ...(llb ? { input: encodeDefinition(marshal(llb(sources), { platform })) } : {}),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (finished.code !== 0) throw new Error(finished.stderr.slice(-1500));
    return stepsOf(finished.stderr);
  }

  #write(): void {
    const { dockerfile, files = {} } = this.#build;
    const all = { ...files, ...(dockerfile === undefined ? {} : { Dockerfile: dockerfile }) };
    for (const [name, text] of Object.entries(all)) {
      const path = join(this.#dir, 'context', name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, name === 'Dockerfile' ? this.#filled(text) : text);
    }
  }

  #filled(text: string): string {
    const { baseRef, http, git } = this.#world.sources;
    return text
      .replace(/(?<!\{)\bBASE\b(?!=)/g, baseRef)
      .replaceAll('HTTP', http)
      .replaceAll('GIT', git);
  }
}

/** Sources are looked up each time; whatever else started and was not found has run. */
function hasRun({ name, started, cached }: Step): boolean {
  if (!started || cached) return false;
  if (/^(?:\[[^\]]*internal\]|\[auth\]|importing cache|exporting|resolve |load )/.test(name)) return false;
  return !/^(?:docker-image|https?|git|local):\/\/|^(?:\[[^\]]*\] )?(?:FROM |ADD https?:)|^\[context /.test(
    name,
  );
}
