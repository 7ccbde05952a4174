import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type BuildSpec, buildArgs, ranSteps, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { figure } from '../support/figures.js';
import { Ground } from '../support/ground.js';
import { LoggedRuntime } from '../support/logged-runtime.js';
import { itUnless, overWorkers } from '../support/over-workers.js';
import { type Finished, programs, succeed } from '../support/processes.js';

const dockerfile = (base: string): string => `
FROM ${base} AS base
RUN echo tools >/tools

FROM base AS left
COPY left.txt /in
RUN cat /tools /in >/left

FROM base AS right
COPY right.txt /in
RUN cat /tools /in >/right

FROM base
COPY --from=left /left /left
COPY --from=right /right /right
RUN cat /left /right >/both
`;

overWorkers('a build that was built before', (worker) => {
  let ground: Ground;
  let runtime: LoggedRuntime;
  let daemon: DaemonProcess;
  let folder: string;
  before(async () => {
    ground = await Ground.open('cache', worker);
    runtime = await LoggedRuntime.make(ground.site.home('runtime'));
    daemon = await start();
    folder = await ground.write('context', {
      Dockerfile: dockerfile(ground.base),
      'left.txt': 'left\n',
      'right.txt': 'right\n',
    });
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const start = (): Promise<DaemonProcess> =>
    ground.daemon('daemon', { config: `[${worker.section}]\n${ground.site.runtime(runtime.path)}` });
  const build = (spec: Partial<BuildSpec> = {}): Promise<Finished> =>
    succeed(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder, ...spec })]);

  it('runs every step the first time', async () => {
    const [runs, first] = await runtime.runsDuring(() => build());
    expect(runs).to.equal(4);
    expect(ranSteps(first)).to.include('RUN cat /left /right >/both');
  });

  it('starts no process and says CACHED of every step the second time', async () => {
    const begun = performance.now();
    const [runs, second] = await runtime.runsDuring(() => build());
    figure('a build with nothing to do', `${Math.round(performance.now() - begun)} ms`);
    expect(runs).to.equal(0);
    expect(ranSteps(second)).to.deep.equal([]);
    const cached = stepsOf(second.stderr).filter((step) => step.cached);
    expect(cached.map(({ name }) => name.replace(/^\[.*?\] /, ''))).to.include.members([
      'COPY left.txt /in',
      'RUN cat /left /right >/both',
    ]);
  });

  it('starts no process either when the image is asked for in another form', async () => {
    const outputs = [`type=oci,dest=${ground.path('image.tar')}`];
    const [runs, exported] = await runtime.runsDuring(() => build({ outputs }));
    expect([runs, ranSteps(exported)]).to.deep.equal([0, []]);
  });

  it('runs only what depends on a file that was changed', async () => {
    await writeFile(join(folder, 'left.txt'), 'another left\n');
    const [runs, third] = await runtime.runsDuring(() => build());
    expect(runs).to.equal(2);
    expect(ranSteps(third).sort()).to.deep.equal([
      'COPY --from=left /left /left',
      'COPY --from=right /right /right',
      'COPY left.txt /in',
      'RUN cat /left /right >/both',
      'RUN cat /tools /in >/left',
    ]);
  });

  it('runs nothing for a file that was written again as it was, or that no step reads', async () => {
    await writeFile(join(folder, 'right.txt'), 'right\n');
    await writeFile(join(folder, 'unused.txt'), 'nobody reads this\n');
    const [runs, again] = await runtime.runsDuring(() => build());
    expect([runs, ranSteps(again)]).to.deep.equal([0, []]);
  });

  it('stops at a step whose result is the same as before', async () => {
    await writeFile(join(folder, 'Dockerfile'), dockerfile(ground.base).replace('cat /tools', 'cat  /tools'));
    const [runs] = await runtime.runsDuring(() => build());
    // The step of the left stage is another one now; what it wrote is not, so the last step is a hit.
    expect(runs).to.equal(1);
  });

  it('remembers when the daemon was started again', async () => {
    await daemon?.[Symbol.asyncDispose]();
    daemon = await start();
    const [runs, again] = await runtime.runsDuring(() => build());
    expect([runs, ranSteps(again)]).to.deep.equal([0, []]);
  });

  it('runs every step again with --no-cache', async () => {
    const [runs] = await runtime.runsDuring(() => build({ args: ['--no-cache'] }));
    expect(runs).to.equal(4);
  });

  it('runs each step once for two builds at the same time', async () => {
    const slow = await ground.write('slow', {
      Dockerfile: `FROM ${ground.base}\nRUN sleep 0.5; echo a >/a\nRUN sleep 0.5; echo b >/b\n`,
    });
    const [runs] = await runtime.runsDuring(() =>
      Promise.all([build({ folder: slow }), build({ folder: slow }), build({ folder: slow })]),
    );
    expect(runs).to.equal(2);
  });

  const others = worker.name !== 'oci' && 'an engine without a daemon takes the worker oci';
  itUnless(
    others,
    'runs each step once for an embedded build as well, and not again in the next process',
    async () => {
      const root = ground.path('embedded');
      const config = join(
        await ground.write('config', {
          'buildkitd.toml': `[worker.oci]\nbinary = ${JSON.stringify(runtime.path)}\n`,
        }),
        'buildkitd.toml',
      );
      const build = (): Promise<Finished> =>
        succeed(programs.buildctl, ['--root', root, '--config', config, ...buildArgs({ folder })]);
      const [first] = await runtime.runsDuring(build);
      const [second, finished] = await runtime.runsDuring(build);
      // Each process tries the runtime once before it builds.
      expect([first, second]).to.deep.equal([4 + 1, 1]);
      expect(ranSteps(finished)).to.deep.equal([]);
    },
  );
});
