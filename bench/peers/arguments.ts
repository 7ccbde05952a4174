/** The command line of the program, and its errors in words. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { csvFields } from '../../core/util/csv.js';
import { nearest } from '../../core/util/nearest.js';
import type { Peer, Workload } from './workload.js';

export interface Asked {
  readonly peers: readonly Peer[];
  readonly workloads: readonly Workload[];
  readonly client: string;
  readonly runs: number;
  readonly base: string;
  readonly registry: string;
  /** Undefined: the first daemon makes one. */
  readonly big: string | undefined;
  readonly trees: readonly string[];
  readonly limits: boolean;
  /** Holds what the client reads and writes. */
  readonly scratch: string;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
}

/** What is wrong with the command line. */
export class UsageError extends Error {}

export const usage = (workloads: readonly Workload[]): string => `
npm run bench:peers -- --client PATH [OPTION…] NAME=ADDRESS[,PID] NAME=ADDRESS[,PID]…

Gives the same builds to several daemons in turn, with one client, and prints the median seconds of each and their
ratio to the first daemon's. With the PID of a daemon its processor time and peak memory are shown, too.
It empties the caches of the daemons: give it daemons of its own.

  --client PATH      buildctl, BuildKit's own or the one here
  --only A,B         these workloads (default: all)
  --runs N           how often each runs on each daemon (default 5)
  --registry HOST    a registry without TLS that daemons may push to (default localhost:5000)
  --base IMAGE       an image with a shell (default REGISTRY/library/busybox:latest)
  --big IMAGE        what "pull" pulls (default: the first daemon makes one)
  --trees A,B        folders of real programs to export (default ${defaultTrees.join(',')})
  --scratch DIR      for contexts and what the client is sent (default ${memory} where there is one: the client's
                     disk is not what is compared)
  --limits           also measure what cp, sha256sum, gzip, pigz, zstd and tar take for such work
  --json FILE        write all figures
  --markdown FILE    write the table
  --help

Workloads:
${workloads.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join('\n')}
`;

const memory = '/dev/shm';
const defaultTrees = ['/usr/lib/git-core', '/usr/lib/python3'];

/** Undefined when help is asked for. */
export function parseArguments(args: readonly string[], all: readonly Workload[]): Asked | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (!values.client) throw new UsageError('--client is missing: the path of a buildctl');
  if (!existsSync(values.client)) throw new UsageError(`--client ${values.client}: there is no such file`);
  if (positionals.length === 0) throw new UsageError('no daemon is given: NAME=ADDRESS');
  const { registry = 'localhost:5000' } = values;
  return {
    peers: positionals.map(peerOf),
    workloads: values.only === undefined ? all : namesOf(values.only).map((name) => workloadOf(name, all)),
    client: values.client,
    runs: runsOf(values.runs ?? '5'),
    base: values.base ?? `${registry}/library/busybox:latest`,
    registry,
    big: values.big,
    trees:
      values.trees === undefined ? defaultTrees.filter((tree) => existsSync(tree)) : namesOf(values.trees),
    limits: values.limits ?? false,
    scratch: folderOf(values.scratch ?? (existsSync(memory) ? memory : tmpdir())),
    json: values.json,
    markdown: values.markdown,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        client: text,
        only: text,
        runs: text,
        registry: text,
        base: text,
        big: text,
        trees: text,
        scratch: text,
        limits: flag,
        json: text,
        markdown: text,
        help: flag,
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const namesOf = (text: string): readonly string[] => csvFields(text, (message) => new UsageError(message));

function peerOf(text: string): Peer {
  const match = /^([^=]+)=([^,]+)(?:,(\d+))?$/.exec(text);
  if (!match) throw new UsageError(`${text} is no daemon: NAME=ADDRESS or NAME=ADDRESS,PID`);
  const [, name, address, pid] = match;
  return { name: name!, address: address!, pid: pid === undefined ? undefined : Number(pid) };
}

function workloadOf(name: string, all: readonly Workload[]): Workload {
  const found = all.find((workload) => workload.name === name);
  if (found) return found;
  const names = all.map((workload) => workload.name);
  const near = nearest(name, names);
  throw new UsageError(
    `there is no workload ${name}; ${near === undefined ? `there are: ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}

function runsOf(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs > 0) return runs;
  throw new UsageError(`--runs ${text} is no number of runs`);
}

function folderOf(path: string): string {
  if (existsSync(path)) return path;
  throw new UsageError(`--scratch ${path}: there is no such folder`);
}
