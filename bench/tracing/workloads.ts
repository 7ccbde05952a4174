/** Builds from the shortest to those with many steps: what a span costs shows most where a step does least. */
import { build } from '../../client/build.js';
import type { Daemon } from '../../client/daemon.js';
import { marshal, mkfile, type State, scratch } from '../../client/llb/index.js';
import type { Ground } from '../../test/integration/support/ground.js';

export interface TracedWorkload {
  readonly name: string;
  /** In one pair: enough that a collection of garbage more or less is not what is measured. */
  readonly builds: number;
  build(daemon: Daemon, round: number): Promise<void>;
}

const { signal } = new AbortController();
const FILES = 200;

export async function workloads(ground: Ground): Promise<readonly TracedWorkload[]> {
  const runs = Array.from({ length: 10 }, (_, i) => `RUN echo $ROUND ${i} >/f${i}`);
  const folder = await ground.write('steps', {
    Dockerfile: [`FROM ${ground.base}`, 'ARG ROUND', ...runs, 'COPY file /file'].join('\n'),
    file: 'content',
  });
  const folders = new Map([
    ['context', folder],
    ['dockerfile', folder],
  ]);
  const dockerfile = async (daemon: Daemon, word: string): Promise<void> => {
    const opts = { 'build-arg:ROUND': word };
    await build(daemon, { frontend: 'dockerfile.v0', opts, offer: { folders } }, signal);
  };
  return [
    { name: 'Dockerfile, 10 RUN', builds: 2, build: (daemon, round) => dockerfile(daemon, `${round}`) },
    { name: 'the same, cached', builds: 20, build: (daemon) => dockerfile(daemon, 'once') },
    {
      name: `${FILES} file ops`,
      builds: 4,
      build: async (daemon, round) => {
        let state: State = scratch();
        for (let i = 0; i < FILES; i++) state = state.file(mkfile(`/f${i}`, 0o644, `${round}`));
        await build(daemon, { definition: marshal(state) }, signal);
      },
    },
  ];
}
