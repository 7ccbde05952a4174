import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { programs, run, succeed } from '../support/processes.js';
import { entry, PluginSite } from './site.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

const root = join(import.meta.dirname, '../../..');
const tsc = join(root, 'node_modules/.bin/tsc');

/** Node 22.18 was the first to load TypeScript without a flag. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const loadsTypeScript = major > 22 || (major === 22 && minor >= 18);

onWorker('oci', because, 'a plugin in TypeScript', function () {
  this.timeout(120_000);
  let site: PluginSite;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    return entry('index');
  });
  beforeEach(async () => {
    site = await PluginSite.open();
  });
  afterEach(() => site?.[Symbol.asyncDispose]());

  const needTypes = (): void => {
    if (existsSync(join(root, 'dist/types'))) return;
    throw new Error('dist/types is missing: run "node scripts/build.mjs --types" first');
  };
  const daemonArgs = (plugin: string): string[] => {
    const config = site.config(`[plugins]\nload = [${JSON.stringify(plugin)}]\n`);
    return ['--config', config, '--root', site.path('state')];
  };

  it('is loaded as it is, or refused with what to do about it', async () => {
    const file = `${site.place('frontend-typescript')}/index.mts`;
    if (loadsTypeScript) {
      const { stdout } = await succeed(programs.buildctl, [...daemonArgs(file), 'debug', 'plugins']);
      expect(stdout).to.match(/^frontend +script\.v0 +ok /m);
      return;
    }
    const { code, stderr } = await run(programs.buildkitd, daemonArgs(file));
    expect(code).to.equal(1);
    expect(stderr).to.contain(
      `buildkitd.toml:2: plugin "${file}" failed to load: Unknown file extension ".mts"`,
    );
    expect(stderr).to.contain(
      `hint: this Node (${process.version}) does not load TypeScript: name the compiled JavaScript, or use Node 22.18 or newer\n`,
    );
  });

  it('compiles against the published types, and builds', async () => {
    needTypes();
    const plugin = site.place('frontend-typescript');
    const compiled = await run(tsc, ['-p', site.path(plugin)]);
    expect(compiled).to.deep.equal({ code: 0, stdout: '', stderr: '' });

    await using ground = await Ground.open('typescript-plugin');
    site.write('project/build.sh', 'echo "built in $PWD" > /out/said\ncp name /out/\n');
    site.write('project/name', 'Ada\n');
    const project = site.path('project');
    await succeed(programs.buildctl, [
      ...daemonArgs(plugin),
      'build',
      '--frontend=script.v0',
      `--opt=base=${ground.base}`,
      `--local=context=${project}`,
      `--local=dockerfile=${project}`,
      `--output=type=local,dest=${site.path('out')}`,
    ]);
    const read = (name: string): string => readFileSync(site.path('out', name), 'utf8');
    expect([read('said'), read('name')]).to.deep.equal(['built in /src\n', 'Ada\n']);
  });

  it('is told by the compiler what it gets wrong', async () => {
    needTypes();
    const plugin = site.place('frontend-typescript');
    const file = site.path(plugin, 'index.mts');
    const text = readFileSync(file, 'utf8');
    site.write(`${plugin}/index.mts`, text.replace("kind: 'frontend'", "kind: 'fronted'"));
    const { code, stdout } = await run(tsc, ['-p', site.path(plugin)]);
    expect([code, stdout]).to.satisfy(
      ([status, out]: [number, string]) => status !== 0 && out.includes('"fronted"'),
    );
  });

  it('may be a whole program that embeds the engine', async () => {
    needTypes();
    site.write(
      'program/index.mts',
      `import { build, openEngine } from 'buildkit-ts';
import { connectDaemon } from 'buildkit-ts/client';
import { marshal, mkfile, scratch } from 'buildkit-ts/llb';
import { snapshotterContract } from 'buildkit-ts/testing';

export const suites = [snapshotterContract];
export const connect = connectDaemon;
await using engine = await openEngine({ root: 'state' });
const definition = marshal(scratch().file(mkfile('/hello', 0o644, 'Hello')));
const target = { kind: 'folder', path: 'out' } as const;
await build(engine, { definition, exports: [{ type: 'local', attrs: {}, target }] }, new AbortController().signal);
`,
    );
    const flags = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable'];
    const compile = await run(
      tsc,
      [...flags, '--strict', '--types', 'node', site.path('program/index.mts')],
      {
        cwd: site.path('program'),
      },
    );
    expect(compile).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    // The contract suites need mocha around them.
    const file = site.path('program/index.mjs');
    const program = readFileSync(file, 'utf8').replace(
      /^.*(buildkit-ts\/testing|snapshotterContract).*$/gm,
      '',
    );
    site.write('program/index.mjs', program);
    await succeed(process.execPath, [file], { cwd: site.path('program') });
    expect(readFileSync(site.path('program/out/hello'), 'utf8')).to.equal('Hello');
  });
});
