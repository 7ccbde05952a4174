/** What one daemon exports, a fresh one imports: by every way that needs nothing but a registry or a folder. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildArgs, ranSteps } from '../support/build.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, programs, run, succeed } from '../support/processes.js';

const dockerfile = (base: string): string => `
FROM ${base} AS base
RUN echo tools >/tools

FROM base AS side
COPY in.txt /in
RUN cat /tools /in >/side

FROM base
COPY --from=side /side /side
RUN cat /side >/both
`;

overWorkers('a cache that was exported', (worker) => {
  let ground: Ground;
  let folder: string;
  let config: string;
  let made = 0;
  before(async () => {
    ground = await Ground.open('exported-cache', worker);
    config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
    folder = await ground.write('context', { Dockerfile: dockerfile(ground.base), 'in.txt': 'in\n' });
  });
  after(() => ground[Symbol.asyncDispose]());

  /** Builds with a daemon that knows nothing. */
  async function buildFresh(...args: readonly string[]): Promise<Finished> {
    const home = `daemon${made++}`;
    await using daemon = await ground.daemon(home, { config });
    return await succeed(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder }), ...args]);
  }
  const name = (tag: string): string => `${ground.registry.address}/cache/x:${tag}`;

  const ways: readonly (readonly [what: string, out: () => readonly string[], back: () => string])[] = [
    [
      'to a registry',
      () => ['--export-cache', `type=registry,ref=${name('max')},mode=max`],
      () => `type=registry,ref=${name('max')}`,
    ],
    [
      'to a registry, the least of it',
      () => ['--export-cache', `type=registry,ref=${name('min')}`],
      () => `type=registry,ref=${name('min')}`,
    ],
    [
      'to a folder',
      () => ['--export-cache', `type=local,dest=${ground.path('folder')},mode=max`],
      () => `type=local,src=${ground.path('folder')}`,
    ],
    [
      'with an image',
      () => ['--export-cache', 'type=inline', '--output', `type=image,name=${name('image')},push=true`],
      () => `type=registry,ref=${name('image')}`,
    ],
  ];
  for (const [what, out, back] of ways) {
    it(`${what} is all that a daemon needs to run nothing`, async () => {
      const first = await buildFresh(...out());
      expect(ranSteps(first)).to.include('RUN cat /side >/both');
      const second = await buildFresh('--import-cache', back());
      expect(ranSteps(second)).to.deep.equal([]);
    }).timeout(120_000);
  }

  it('brings its layers when a step reads them', async () => {
    await using daemon = await ground.daemon('reading', { config });
    const more = await ground.write('more', {
      Dockerfile: `${dockerfile(ground.base)}RUN cat /both >/more\nFROM scratch\nCOPY --from=2 /more /\n`,
      'in.txt': 'in\n',
    });
    const args = buildArgs({ folder: more, outputs: [ground.path('out')] });
    const built = await succeed(programs.buildctl, [
      ...['--addr', daemon.address, ...args],
      ...['--import-cache', `type=registry,ref=${name('max')}`],
    ]);
    expect(ranSteps(built).filter((step) => step.startsWith('RUN'))).to.deep.equal(['RUN cat /both >/more']);
  }).timeout(120_000);

  it('is not needed any more once it was used; layers that are gone are made again', async () => {
    await using daemon = await ground.daemon('later', { config });
    const build = (...args: readonly string[]): Promise<Finished> =>
      succeed(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder }), ...args]);
    const local = ground.path('folder');
    expect(ranSteps(await build('--import-cache', `type=local,src=${local}`))).to.deep.equal([]);
    await rm(local, { recursive: true });
    await writeFile(join(folder, 'in.txt'), 'in\n');
    const out = ground.path('again.tar');
    expect(ranSteps(await build('--output', `type=oci,dest=${out}`))).to.include('RUN cat /side >/both');
  }).timeout(120_000);

  it('in a folder is all that the folder holds, when it is reset', async () => {
    await using daemon = await ground.daemon('resetting', { config });
    const dest = ground.path('reset');
    const blobs = async (): Promise<readonly string[]> => (await readdir(join(dest, 'blobs/sha256'))).sort();
    const build = async (text: string, attrs: string): Promise<readonly string[]> => {
      const changed = await ground.write('changing', { Dockerfile: dockerfile(ground.base), 'in.txt': text });
      const spec = `type=local,dest=${dest},mode=max${attrs}`;
      const args = buildArgs({ folder: changed, args: ['--export-cache', spec] });
      await succeed(programs.buildctl, ['--addr', daemon.address, ...args]);
      return blobs();
    };
    const first = await build('one', '');
    const grown = await build('two', '');
    expect(grown).to.include.members([...first]);
    const reset = await build('three', ',reset=true');
    const fresh = await build('three', ',reset=false');
    expect([reset.length, fresh]).to.deep.equal([first.length, reset]);
  }).timeout(120_000);

  it('that is not there is a failed row, and no failed build', async () => {
    await using daemon = await ground.daemon('missing', { config });
    const { code, stderr } = await run(programs.buildctl, [
      ...['--addr', daemon.address, ...buildArgs({ folder })],
      ...['--import-cache', `type=registry,ref=${name('nothing')}`],
    ]);
    expect(code, stderr).to.equal(0);
    expect(stderr).to.contain(`importing cache manifest from ${name('nothing')}`);
  }).timeout(120_000);

  it('where it cannot go fails the build, unless it says ignore-error', async () => {
    await using daemon = await ground.daemon('unreachable', { config });
    const build = (spec: string): Promise<Finished> =>
      run(programs.buildctl, ['--addr', daemon.address, ...buildArgs({ folder }), '--export-cache', spec]);
    const nowhere = 'type=registry,ref=127.0.0.1:1/x/y,registry.insecure=true';
    expect((await build(nowhere)).code).to.equal(1);
    expect((await build(`${nowhere},ignore-error=true`)).code).to.equal(0);
  }).timeout(120_000);
});
