/** Runs the builds of a case on one daemon, and answers what was seen of each. */
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeDefinition, marshal, State } from '../../../client/llb/index.js';
import { setXattr } from '../../../core/util/linux/xattr.js';
import { type Finished, run, succeed } from '../../integration/support/processes.js';
import { type Build, FILE_TIME, type FileSpec, type Files, type NamedCase } from './case.js';
import type { Facts } from './facts.js';
import { normalise, type Place } from './normalise.js';
import { cacheFacts, outputFacts, pushedFacts } from './outputs.js';
import { readProgress } from './progress.js';
import { timesSince } from './trees.js';
import type { World } from './world.js';

export interface Daemon {
  /** `real` or `ours`. */
  readonly side: string;
  readonly address: string;
}

export interface Bench {
  readonly world: World;
  /** The Go client. */
  readonly client: string;
  /** When the comparison began, in seconds since 1970. */
  readonly begun: number;
}

/** Milliseconds that a build may take. */
const PATIENCE = 60_000;
const DEFAULT_BUILDS: readonly Build[] = [{}, {}];

export async function runCase(one: NamedCase, daemon: Daemon, bench: Bench): Promise<readonly Facts[]> {
  const slug = `${one.area} ${one.name}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const dir = join(bench.world.dir, 'cases', slug, daemon.side);
  const places = [
    { word: 'DIR', text: dir },
    { word: 'MINE', text: `${slug}/${daemon.side}` },
    ...bench.world.places,
  ];
  await prune(daemon, bench);
  const seen: Facts[] = [];
  for (const { prune: pruned, ...build } of one.builds ?? DEFAULT_BUILDS) {
    if (pruned) await prune(daemon, bench);
    const whole = { ...one, ...build, files: { ...one.files, ...build.files } };
    seen.push(await new CaseBuild(whole, dir, places, bench).run(daemon.address));
  }
  rmSync(dir, { recursive: true, force: true });
  return seen;
}

const prune = ({ address }: Daemon, { client }: Bench): Promise<Finished> =>
  succeed(client, ['--addr', address, 'prune', '--all']);

class CaseBuild {
  readonly #build: Build & { readonly ignoreProgress?: boolean };
  readonly #dir: string;
  readonly #places: readonly Place[];
  readonly #bench: Bench;

  constructor(
    build: Build & { readonly ignoreProgress?: boolean },
    dir: string,
    places: readonly Place[],
    bench: Bench,
  ) {
    this.#build = build;
    this.#dir = dir;
    this.#places = places;
    this.#bench = bench;
  }

  async run(address: string): Promise<Facts> {
    const { dockerfile, files, env = {}, pushed = [], caches = [] } = this.#build;
    for (const folder of ['context', 'out'])
      rmSync(join(this.#dir, folder), { recursive: true, force: true });
    mkdirSync(join(this.#dir, 'out'), { recursive: true });
    const all = { ...(dockerfile === undefined ? {} : { Dockerfile: dockerfile }), ...files };
    writeFiles(join(this.#dir, 'context'), all, (text) => this.#filled(text));
    const finished = await run(this.#bench.client, ['--addr', address, ...this.#args()], {
      cwd: this.#dir,
      env: { HOME: this.#dir, ...filledValues(env, (text) => this.#filled(text)) },
      input: this.#input(),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const facts = this.#told(finished);
    const time = timesSince(this.#bench.begun);
    try {
      await outputFacts(join(this.#dir, 'out'), time, facts);
      for (const ref of pushed) await pushedFacts(this.#filled(ref), `pushed ${ref}`, time, facts);
      for (const ref of caches) await cacheFacts(this.#filled(ref), `cache ${ref}`, time, facts);
    } catch (error) {
      facts.set('what was exported cannot be read', String(error));
    }
    return new Map(
      [...facts].map(([fact, value]) => [normalise(fact, this.#places), normalise(value, this.#places)]),
    );
  }

  #told({ code, stdout, stderr }: Finished): Map<string, string> {
    const { facts, rest } = readProgress(stderr);
    return new Map([
      ['exit', String(code)],
      ['stderr', rest],
      ['stdout', stdout],
      ...(this.#build.ignoreProgress ? [] : facts),
    ]);
  }

  #args(): string[] {
    const { dockerfile, llb, opt = {}, args = [], files = {} } = this.#build;
    const context = join(this.#dir, 'context');
    const isFrontend = !llb && !args.includes('--frontend');
    const locals = dockerfile !== undefined || Object.keys(files).length > 0 || isFrontend;
    return [
      'build',
      '--progress=rawjson',
      ...(isFrontend ? ['--frontend=dockerfile.v0'] : []),
      ...(locals ? [`--local=context=${context}`, `--local=dockerfile=${context}`] : []),
      ...Object.entries(opt).map(([key, value]) => `--opt=${key}=${this.#filled(value)}`),
      ...this.#outputs().map((output) => `--output=${output}`),
      ...args.map((text) => this.#filled(text)),
    ];
  }

  #outputs(): string[] {
    const { llb, output = llb ? 'type=tar' : 'type=oci' } = this.#build;
    return (typeof output === 'string' ? [output] : output).map((text, index) => {
      const type = /\btype=(\w+)/.exec(text)?.[1];
      const file = { oci: `${index}.tar`, docker: `${index}.tar`, tar: `${index}.tar`, local: `${index}` }[
        type ?? ''
      ];
      const dest = file && !/\bdest=/.test(text) ? `,dest=${join(this.#dir, 'out', file)}` : '';
      return this.#filled(text) + dest;
    });
  }

  #input(): Uint8Array | undefined {
    const made = this.#build.llb?.(this.#bench.world.sources);
    if (!(made instanceof State)) return made;
    return encodeDefinition(marshal(made, { platform: { os: 'linux', architecture: 'amd64' } }));
  }

  #filled(text: string): string {
    return this.#places.reduce(
      (filled, { word, text: place }) => filled.replace(new RegExp(`\\b${word}\\b`, 'g'), place),
      text,
    );
  }
}

const filledValues = (
  values: Readonly<Record<string, string>>,
  filled: (text: string) => string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, filled(value)]));

function writeFiles(root: string, files: Files, filled: (text: string) => string): void {
  mkdirSync(root, { recursive: true });
  for (const [name, spec] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeOne(root, path, spec, filled);
  }
  // Folders last, as files change their times; the deepest first.
  const folders = new Set(Object.keys(files).flatMap(parents));
  for (const folder of [...folders].sort().reverse()) lutimesSync(join(root, folder), FILE_TIME, FILE_TIME);
}

const parents = (name: string): string[] => {
  const parts = name.split('/');
  return parts.map((_, index) => parts.slice(0, index).join('/'));
};

function writeOne(root: string, path: string, spec: FileSpec, filled: (text: string) => string): void {
  if (typeof spec === 'string') writeFileSync(path, filled(spec));
  else if (spec instanceof Uint8Array) writeFileSync(path, spec);
  else if ('link' in spec) symlinkSync(spec.link, path);
  else if ('hardLink' in spec) linkSync(join(root, spec.hardLink), path);
  else if ('folder' in spec) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, spec.mode ?? 0o755);
  } else if ('text' in spec) {
    writeFileSync(path, filled(spec.text));
    for (const [key, value] of Object.entries(spec.xattrs ?? {})) setXattr(path, key, Buffer.from(value));
    chownSync(path, spec.uid ?? 0, spec.gid ?? 0);
    chmodSync(path, spec.mode ?? 0o644);
  }
  const time = typeof spec === 'object' && 'text' in spec ? (spec.time ?? FILE_TIME) : FILE_TIME;
  lutimesSync(path, time, time);
}
