import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type BuildSpec, buildArgs, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, programs, succeed } from '../support/processes.js';

const dockerfile = (base: string, greeting: string): string => `
FROM ${base} AS made
RUN mkdir -p /made/dir && echo made >/made/dir/file
FROM ${base}
RUN mkdir /app && echo ${greeting} >/app/greeting && echo old >/app/gone
COPY --link --from=made /made /app
COPY --link note.txt /app/dir/
RUN rm /app/gone && cat /app/dir/* /app/greeting >/app/all
`;

interface Manifest {
  readonly layers: readonly { readonly digest: string }[];
}

overWorkers('linked copies', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  before(async () => {
    ground = await Ground.open('linked-copies', worker);
    daemon = await ground.daemon('daemon');
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const context = (greeting: string): Promise<string> =>
    ground.write(greeting, { Dockerfile: dockerfile(ground.base, greeting), 'note.txt': 'note\n' });
  const build = (spec: BuildSpec): Promise<Finished> =>
    succeed(programs.buildctl, ['--addr', daemon.address, ...buildArgs(spec)]);
  /** Digests of the image's layers, bottom first. */
  const layersOf = async (name: string): Promise<readonly string[]> => {
    await build({ folder: await context(name), outputs: [`type=oci,dest=${ground.path(`${name}.tar`)}`] });
    const image = `oci-archive:${ground.path(`${name}.tar`)}`;
    const { stdout } = await succeed('skopeo', ['inspect', '--raw', image]);
    return (JSON.parse(stdout) as Manifest).layers.map(({ digest }) => digest);
  };

  it('keep their layers when what is below changes', async () => {
    const [first, second] = [await layersOf('hello'), await layersOf('goodbye')];
    expect(first.length).to.equal(5);
    const same = first.map((digest, at) => digest === second[at]);
    // The base, what RUN made on it, both copies, and what RUN made on all that.
    expect(same).to.deep.equal([true, false, true, true, false]);
  });

  it('are found again, and only merged anew, on another base', async () => {
    await build({ folder: await context('third') });
    const again = await build({ folder: await context('fourth') });
    const steps = stepsOf(again.stderr).map(({ name, cached }) => `${name}${cached ? ' CACHED' : ''}`);
    const copy = '[stage-1 3/5] COPY --link --from=made /made /app';
    expect(steps).to.include.members([
      `${copy} CACHED`,
      `[stage-1 3/5] LINK COPY --link --from=made /made /app`,
    ]);
  });

  it('are one tree with what they are laid on', async () => {
    const dest = ground.path('tree');
    await build({ folder: await context('hello'), outputs: [`type=local,dest=${dest}`] });
    const text = (name: string): Promise<string> => readFile(`${dest}/app/${name}`, 'utf8');
    expect(await text('greeting')).to.equal('hello\n');
    expect(await text('all')).to.equal('made\nnote\nhello\n');
    expect(await text('gone').catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ENOENT');
  });
});
