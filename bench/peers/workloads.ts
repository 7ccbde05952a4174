/** The workloads, in the order in which they run. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { marshal, merge, mkfile, type State, scratch } from '../../client/llb/index.js';
import type { LlbDefinition } from '../../core/contracts/frontend.js';
import { manyPath } from './contexts.js';
import { salt, type Turn, times, type Workload } from './workload.js';

const RUNS = 25;
const STAGES = 24;
const CACHED_RUNS = 10;
const WIDE = 2000;
const CHAIN = 1000;
const BIG_FILE = 256 << 20;

const saltedRuns = (base: string, count: number): string =>
  `FROM ${base}\n${times(count, (at) => `RUN echo ${salt()} > /r${at}\n`).join('')}`;

/** A layer of real programs that no daemon has seen before. */
async function saltedTree({ contexts, trees }: Turn): Promise<string> {
  const dir = await contexts.shared('real', () => contexts.real('real', trees));
  await writeFile(join(dir, 'salt'), salt());
  return dir;
}

const manyFiles = ({ contexts }: Turn): Promise<string> =>
  contexts.shared('many', () => contexts.many('many', 2048));

const exported = (name: string, summary: string, output: (turn: Turn) => string): Workload => ({
  name,
  summary,
  run: async (turn) => turn.build(await saltedTree(turn), '--output', output(turn)),
});

const dockerfiles: readonly Workload[] = [
  {
    name: 'noop',
    summary: 'a Dockerfile of 12 steps, all of them cached',
    prepare: async (turn) => {
      await turn.build(await noop(turn));
    },
    run: async (turn) => turn.build(await noop(turn)),
  },
  {
    name: 'runs',
    summary: `${RUNS} RUN steps in a row`,
    run: async (turn) => turn.build(await turn.contexts.write('runs', saltedRuns(turn.base, RUNS))),
  },
  {
    name: 'stages',
    summary: `${STAGES} independent stages of one RUN, gathered by COPY --from`,
    run: async (turn) => {
      const stages = times(STAGES, (at) => `FROM ${turn.base} AS s${at}\nRUN echo ${salt()} > /r${at}\n`);
      const gather = times(STAGES, (at) => `COPY --from=s${at} /r${at} /r${at}\n`);
      const text = `${stages.join('')}FROM ${turn.base}\n${gather.join('')}`;
      return turn.build(await turn.contexts.write('stages', text));
    },
  },
];

function noop({ contexts, base }: Turn): Promise<string> {
  const steps = times(6, (at) => `COPY f${at} /f${at}\nRUN echo ${at} > /r${at}\n`);
  const files = times(6, (at) => [`f${at}`, randomBytes(2000)] as const);
  return contexts.shared('noop', () =>
    contexts.write('noop', `FROM ${base}\n${steps.join('')}`, Object.fromEntries(files)),
  );
}

const contexts: readonly Workload[] = [
  {
    name: 'context-big',
    summary: 'one random file of 256 MiB in the context, copied',
    run: async (turn) => {
      const dir = await turn.contexts.write('big', 'FROM scratch\nCOPY blob /\n', {
        blob: randomBytes(BIG_FILE),
      });
      return turn.build(dir);
    },
  },
  {
    name: 'context-many',
    summary: '10,000 small files in the context, copied',
    run: async (turn) => {
      const dir = await turn.contexts.many('fresh', 4096);
      try {
        return await turn.build(dir);
      } finally {
        await turn.contexts.remove(dir);
      }
    },
  },
  {
    name: 'context-changed',
    summary: '10,000 files that were sent before, one of them changed',
    prepare: async (turn) => {
      await turn.build(await manyFiles(turn));
    },
    run: async (turn) => {
      const dir = await manyFiles(turn);
      await writeFile(join(dir, manyPath(1401)), salt());
      return turn.build(dir);
    },
  },
];

const outputs: readonly Workload[] = [
  exported('export-gzip', 'a layer of real programs exported as an OCI archive', outTar('')),
  exported('export-zstd', 'the same with zstd', outTar(',compression=zstd')),
  {
    name: 'export-local',
    summary: '10,000 files exported to a folder of the client',
    prepare: async (turn) => {
      await turn.build(await manyFiles(turn));
    },
    run: async (turn) => {
      const out = join(turn.dir, 'out');
      try {
        return await turn.build(await manyFiles(turn), '--output', `type=local,dest=${out}`);
      } finally {
        await turn.contexts.remove(out);
      }
    },
  },
  exported(
    'push',
    'a layer of real programs pushed to a registry',
    ({ registry }) => `type=image,name=${registry}/bench/push:${salt()},push=true`,
  ),
  {
    name: 'pull',
    summary: 'an image pulled into an empty store, and one command run in it',
    run: async (turn) => {
      await turn.client.run(turn.peer.address, ['prune', '--all']);
      return turn.build(await turn.contexts.write('pull', `FROM ${turn.big}\nRUN true\n`));
    },
  },
  {
    name: 'cache-max',
    summary: `${CACHED_RUNS} RUN steps, their cache exported to a registry with mode=max`,
    run: async (turn) => {
      const dir = await turn.contexts.write('cache', saltedRuns(turn.base, CACHED_RUNS));
      const ref = `${turn.registry}/bench/cache:${salt()}`;
      return turn.build(dir, '--export-cache', `type=registry,mode=max,ref=${ref}`);
    },
  },
];

function outTar(more: string): (turn: Turn) => string {
  return ({ dir }) => `type=oci,dest=${join(dir, 'out.tar')}${more}`;
}

const wide = (mark: string): LlbDefinition =>
  marshal(merge(times(WIDE, (at) => scratch().file(mkfile(`/f${at}`, 0o644, `${mark} ${at}`)))));

function chain(mark: string): LlbDefinition {
  let state: State = scratch();
  for (let at = 0; at < CHAIN; at++) state = state.file(mkfile(`/f${at}`, 0o644, `${mark} ${at}`));
  return marshal(state);
}

const graphs: readonly Workload[] = [
  {
    name: 'wide',
    summary: '2,000 independent file operations, merged',
    run: (turn) => turn.solve(wide(salt())),
  },
  {
    name: 'wide-cached',
    summary: 'the same again, cached',
    prepare: async (turn) => {
      await turn.solve(wide('same'));
    },
    run: (turn) => turn.solve(wide('same')),
  },
  {
    name: 'chain',
    summary: '1,000 file operations in a chain',
    run: (turn) => turn.solve(chain(salt())),
  },
];

/** `pull` empties stores, so it comes behind whatever profits from a warm one. */
export const workloads: readonly Workload[] = [...dockerfiles, ...contexts, ...outputs, ...graphs];
