import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { programs, succeed } from '../support/processes.js';

const STAGES = 24;
const STEP_SECONDS = 0.5;

/** Stages that do not know of each other. Each waits until WANTED have begun, so that none is gone before. */
function dockerfile(base: string): string {
  const marks = '--mount=type=cache,target=/marks';
  const begin = 'echo begin >>/marks/log';
  const meet =
    'for i in $(seq 300); do [ $(grep -c begin /marks/log) -ge $WANTED ] && break; usleep 100000; done';
  const end = `sleep ${STEP_SECONDS}; echo end >>/marks/log`;
  const numbers = Array.from({ length: STAGES }, (_, index) => index);
  const stages = numbers.map(
    (n) => `FROM ${base} AS s${n}\nARG WANTED\nRUN ${marks} ${begin}; ${meet}; ${end}; echo ${n} >/${n}\n`,
  );
  const copies = numbers.map((n) => `COPY --from=s${n} /${n} /${n}\n`);
  const all = `FROM ${base} AS all\n${copies.join('')}RUN ${marks} cp /marks/log /log\n`;
  return `${stages.join('')}${all}FROM scratch\nCOPY --from=all /log /\n`;
}

/** The most that had begun and not ended. */
function mostAtOnce(log: string): number {
  let running = 0;
  let most = 0;
  for (const mark of log.trim().split('\n')) {
    running += mark === 'begin' ? 1 : -1;
    most = Math.max(most, running);
  }
  return most;
}

overWorkers(`${STAGES} independent stages`, (worker) => {
  let ground: Ground;
  let folder: string;
  before(async () => {
    ground = await Ground.open('parallel', worker);
    folder = await ground.write('context', { Dockerfile: dockerfile(ground.base) });
  });
  after(() => ground[Symbol.asyncDispose]());

  async function atOnce(name: string, wanted: number, settings: string): Promise<number> {
    await using daemon = await ground.daemon(name, { config: `[${worker.section}]\n${settings}\n` });
    const opts = { 'build-arg:WANTED': `${wanted}` };
    const outputs = [`type=local,dest=${ground.path(name, 'out')}`];
    const begun = performance.now();
    await succeed(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder, opts, outputs })]);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    const log = await readFile(join(ground.path(name, 'out'), 'log'), 'utf8');
    expect(log.trim().split('\n')).to.have.length(2 * STAGES);
    const most = mostAtOnce(log);
    const alone = (STAGES * STEP_SECONDS).toFixed(1);
    figure(
      `steps at once, ${worker.name} ${settings}`,
      `${most} (took ${seconds} s; one by one: ${alone} s)`,
    );
    return most;
  }

  it('run side by side', async () => {
    expect(await atOnce('unlimited', STAGES, '')).to.equal(STAGES);
  });

  it('run four at a time with max-parallelism = 4', async () => {
    expect(await atOnce('four', 4, 'max-parallelism = 4')).to.equal(4);
  });
});
