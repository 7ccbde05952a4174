/** One build by one client, which may go away in the middle of it. */
import { text } from 'node:stream/consumers';
import { build } from '../../client/build.js';
import type { CacheSpec } from '../../client/caches.js';
import type { Daemon } from '../../client/daemon.js';
import { encodeDefinition } from '../../client/llb/index.js';
import { programs, start } from '../integration/support/processes.js';
import type { Destination } from './destinations.js';
import type { Plan } from './plan.js';

/** How a client goes away. */
export type Departure = 'cancel' | 'cut' | 'interrupt' | 'kill';

export interface Outcome {
  /** Undefined: it succeeded. */
  readonly failure: string | undefined;
  /** The client went away before it was over. */
  readonly departed: boolean;
}

/** Tells when the client is to go away; never, if it is not to. */
export type LeaveAfter = (leave: () => void) => Disposable;

/** By the library, over a connection that `cut` breaks. */
export async function attemptHere(
  daemon: Daemon,
  plan: Plan,
  destination: Destination,
  leaving: { readonly after: LeaveAfter; readonly cut?: () => void },
  signal: AbortSignal,
): Promise<Outcome> {
  const stop = new AbortController();
  let departed = false;
  using _ = leaving.after(() => {
    departed = true;
    if (leaving.cut) leaving.cut();
    else stop.abort();
  });
  const { definition, opts, folders, secrets, caches } = plan;
  const failure = await build(
    daemon,
    {
      ...(definition ? { definition } : { frontend: 'dockerfile.v0' }),
      opts,
      offer: {
        folders,
        secrets: new Map([...secrets].map(([id, word]) => [id, { data: Buffer.from(word) }])),
        sharedKey: folders.get('context')!,
      },
      exports: destination.request ? [destination.request] : [],
      cacheExports: caches.exports,
      cacheImports: caches.imports,
      watch: async (messages) => {
        for await (const _ of messages);
      },
    },
    AbortSignal.any([stop.signal, signal]),
  ).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  return { failure, departed };
}

/** By buildctl, which gets a signal. */
export async function attemptByCommand(
  address: string,
  plan: Plan,
  destination: Destination,
  leaving: { readonly after: LeaveAfter; readonly by: 'SIGINT' | 'SIGKILL' },
  signal: AbortSignal,
): Promise<Outcome> {
  const env = Object.fromEntries([...plan.secrets].map(([id, word]) => [`SOAK_${id}`, word]));
  const child = start(programs.buildctl, ['--addr', address, ...commandLine(plan, destination)], {
    env,
    signal,
  });
  // A program that is killed does not read.
  child.stdin!.on('error', () => {}).end(plan.definition ? encodeDefinition(plan.definition) : undefined);
  child.stdout!.resume();
  let departed = false;
  using _ = leaving.after(() => {
    departed = true;
    child.kill(leaving.by);
  });
  const [said, code] = await Promise.all([
    text(child.stderr!),
    new Promise<number | undefined>((resolve) => {
      child.once('error', () => resolve(undefined));
      child.once('close', (status) => resolve(status ?? undefined));
    }),
  ]);
  return { failure: code === 0 ? undefined : said.slice(-4000) || `ended with ${code}`, departed };
}

function commandLine(plan: Plan, { request }: Destination): string[] {
  const each = <T>(flag: string, values: Iterable<T>, write: (value: T) => string): string[] =>
    [...values].flatMap((value) => [flag, write(value)]);
  const outputs = request ? [outputOf(request)] : [];
  return [
    'build',
    '--progress=plain',
    ...(plan.definition ? [] : ['--frontend=dockerfile.v0']),
    ...each('--local', plan.folders, ([name, dir]) => `${name}=${dir}`),
    ...each('--opt', Object.entries(plan.opts), ([key, value]) => `${key}=${value}`),
    ...each('--secret', plan.secrets.keys(), (id) => `id=${id},env=SOAK_${id}`),
    ...each('--output', outputs, (output) => output),
    ...each('--export-cache', plan.caches.exports, csvOf),
    ...each('--import-cache', plan.caches.imports, csvOf),
  ];
}

const csvOf = ({ type, attrs }: CacheSpec): string =>
  [`type=${type}`, ...Object.entries(attrs).map(([key, value]) => `${key}=${value}`)].join(',');

function outputOf({ type, attrs, target }: NonNullable<Destination['request']>): string {
  const dest = target && target.kind !== 'stream' ? [`dest=${target.path}`] : [];
  return [csvOf({ type, attrs }), ...dest].join(',');
}
