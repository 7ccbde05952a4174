import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, programs, type RunOptions, run, succeed } from '../support/processes.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

/** What is printed after the progress. */
const lastLines = ({ stderr }: Finished): string[] =>
  stderr.split('\n').filter((line) => /^(error|hint): /.test(line));

onWorker('oci', because, 'buildctl as people use it', () => {
  let ground: Ground;
  let folder: string;
  before(async () => {
    ground = await Ground.open('command-line');
    folder = await ground.write('context', { Dockerfile: 'FROM scratch\nCOPY . /x\n', 'a file': 'a\n' });
  });
  after(() => ground[Symbol.asyncDispose]());

  const buildctl = (args: readonly string[], options?: RunOptions): Promise<Finished> =>
    run(programs.buildctl, ['--root', ground.path('state'), ...args], options);

  it('takes folders whose names are not plain, and makes those that are missing', async () => {
    const odd = await ground.write('o dd, "ü"=1', { Dockerfile: 'FROM scratch\nCOPY . /x\n', 'ä=b': 'c\n' });
    const out = ground.path('out put', 'deeper');
    const { code, stderr } = await buildctl(buildArgs({ folder: odd, outputs: [out.replace(/,/g, '')] }));
    expect(code, stderr).to.equal(0);
    expect((await readdir(join(out, 'x'))).sort()).to.deep.equal(['Dockerfile', 'ä=b']);
  });

  it('does not take a folder for another one whose files look the same', async () => {
    const time = new Date('1985-10-26T08:15:00Z');
    for (const name of ['one', 'two']) {
      const like = await ground.write(`like-${name}`, { Dockerfile: 'FROM scratch\nCOPY f /\n', f: name });
      await utimes(join(like, 'f'), time, time);
      const out = ground.path(`like-${name}-out`);
      const { code, stderr } = await buildctl(buildArgs({ folder: like, outputs: [out] }));
      expect(code, stderr).to.equal(0);
      expect(await readFile(join(out, 'f'), 'utf8')).to.equal(name);
    }
  });

  it('writes a tar to standard output, and nothing else', async () => {
    const tar = ground.path('stdout.tar');
    const args = buildArgs({ folder, outputs: ['-'] }).map((arg) => `'${arg}'`);
    const line = `${process.execPath} ${programs.buildctl} --root ${ground.path('state')} ${args.join(' ')} >${tar}`;
    await succeed('sh', ['-c', line]);
    const { stdout } = await succeed('tar', ['-tf', tar]);
    expect(stdout.trim().split('\n')).to.deep.equal(['x/', 'x/Dockerfile', 'x/a file']);
  });

  it('builds a definition that a program prints', async () => {
    const tsx = join(import.meta.dirname, '../../../node_modules/tsx/dist/cli.mjs');
    const out = ground.path('hello');
    const build = `${process.execPath} ${programs.buildctl} --root ${ground.path('state')} build --output ${out}`;
    const line = `${process.execPath} ${tsx} examples/hello ${ground.base} | ${build}`;
    await succeed('sh', ['-c', line]);
    expect(await readFile(join(out, 'greeting'), 'utf8')).to.equal('Hello, world!\n');
  });

  it('keeps a file that was there when the build fails', async () => {
    const image = ground.path('image.tar');
    await writeFile(image, 'precious');
    const broken = await ground.write('broken', { Dockerfile: `FROM ${ground.base}\nRUN false\n` });
    const { code } = await buildctl(buildArgs({ folder: broken, outputs: [`type=oci,dest=${image}`] }));
    expect([code, await readFile(image, 'utf8')]).to.deep.equal([1, 'precious']);
  });

  it('writes what a file holds as the user, readable as the umask says', async () => {
    const image = ground.path('new.tar');
    await buildctl(buildArgs({ folder, outputs: [`type=oci,dest=${image}`] }));
    expect((await stat(image)).mode & 0o777).to.equal(0o666 & ~process.umask());
  });

  describe('refuses, with one line that says why,', () => {
    const refusals: readonly (readonly [what: string, args: () => string[], line: RegExp])[] = [
      [
        'a folder that is not there',
        () => buildArgs({ folder: '/nowhere' }),
        /^error: --local context=\/nowhere: \/nowhere: no such file or directory$/,
      ],
      [
        'a context that was not given',
        () => ['build', '--frontend=dockerfile.v0', '--local', `dockerfile=${folder}`],
        /^error: failed to solve: no access allowed to dir "context"$/,
      ],
      [
        'a folder without Dockerfile',
        () => buildArgs({ folder: ground.path('bare') }),
        /^error: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory$/,
      ],
      [
        'a destination in a folder that is not there',
        () => buildArgs({ folder, outputs: ['type=oci,dest=/nowhere/x.tar'] }),
        /^error: destination file \/nowhere\/x\.tar: there is no folder \/nowhere$/,
      ],
      [
        'a destination that cannot be',
        () => buildArgs({ folder, outputs: ['type=local,dest=/proc/nowhere'] }),
        /^error: failed to solve: .*ENOENT.*\/proc\/nowhere/,
      ],
      [
        'an exporter that is misspelt',
        () => buildArgs({ folder, outputs: ['type=ocii,dest=x'] }),
        /exporter "ocii" could not be found \(did you mean "oci"\?\)/,
      ],
      [
        'an attribute that is misspelt',
        () => buildArgs({ folder, outputs: [`type=oci,dest=${ground.path('x')},compresion=zstd`] }),
        /unknown attribute "compresion" \(did you mean "compression"\?\)/,
      ],
      [
        'a frontend that is misspelt',
        () => ['build', '--frontend=dockerfle.v0'],
        /no frontend is called "dockerfle\.v0" \(did you mean "dockerfile\.v0"\?\)/,
      ],
      ['an empty definition', () => ['build'], /^error: empty definition sent to build/],
      [
        'an address that is none',
        () => ['--addr', 'foo://bar', 'debug', 'info'],
        /^error: "foo:\/\/bar" is not the address of a daemon$/,
      ],
    ];
    before(() => mkdir(ground.path('bare')));
    for (const [what, args, line] of refusals) {
      it(what, async () => {
        const finished = await buildctl(args());
        expect(lastLines(finished)[0], finished.stderr).to.match(line);
        expect(finished.code).to.equal(1);
      });
    }
  });

  describe('where it cannot build', () => {
    it('names the runtime that is missing', async () => {
      const config = ground.path('buildkitd.toml');
      await writeFile(config, '[worker.oci]\nbinary = "no-such-runtime"\n');
      const finished = await run(programs.buildctl, [
        ...['--root', ground.path('no-runtime'), '--config', config],
        ...buildArgs({ folder }),
      ]);
      expect(finished.code).to.equal(1);
      expect(lastLines(finished).join('\n')).to.match(/no OCI runtime found \(no-such-runtime\)/);
    });
  });
});
