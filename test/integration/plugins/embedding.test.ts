import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { run, succeed } from '../support/processes.js';
import { entry, PluginSite } from './site.js';

const because = 'the engine is in the process of the test, which is root';

const examples = join(import.meta.dirname, '../../../examples/embed');

onWorker('oci', because, 'example programs that embed the engine', function () {
  this.timeout(60_000);
  let site: PluginSite;
  let ground: Ground;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    await entry('index');
    ground = await Ground.open('embedding');
    site = await PluginSite.open();
    cpSync(examples, site.dir, { recursive: true });
  });
  after(async () => {
    await site?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const program = (name: string, ...args: readonly string[]) =>
    succeed(process.execPath, [site.path(name), ...args], { cwd: site.dir });

  it('build a Dockerfile, and tell what failed by its code', async () => {
    site.write('app/Dockerfile', `FROM ${ground.base}\nARG VERSION\nRUN echo $VERSION > /version\n`);
    const { stdout, stderr } = await program('build-image.js', site.path('app'), site.path('image.tar'));
    expect(stdout).to.match(/^sha256:[0-9a-f]{64}\n$/);
    expect(stderr).to.contain('RUN echo 1.2.3 > /version');
    expect(existsSync(site.path('image.tar'))).to.equal(true);

    site.write('app/Dockerfile', `FROM ${ground.base}\nRUN exit 3\n`);
    const args = [site.path('build-image.js'), site.path('app'), site.path('image.tar')];
    const failed = await run(process.execPath, args, { cwd: site.dir });
    expect([failed.code, failed.stderr.trim().split('\n').at(-1)]).to.deep.equal([
      1,
      'exec.exit: failed to solve: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3',
    ]);
  });

  it('build a graph of their own from files of their own', async () => {
    site.write('one.txt', 'b\na\n');
    site.write('two.txt', 'c\n');
    await program('build-graph.js', ground.base, site.path('sorted'));
    expect(readFileSync(site.path('sorted/sorted.txt'), 'utf8')).to.equal('a\nb\nc\n');
  });

  it('bring a plugin with them', async () => {
    const { stdout } = await program('own-plugin.js');
    expect(stdout).to.equal("{ layers: '2' }\n");
  });

  it('talk to a daemon in the same words', async () => {
    await using daemon = await ground.daemon('daemon');
    const { stdout } = await program('with-daemon.js', daemon.address);
    expect(stdout).to.match(/^\w{25} (overlayfs|native)\n0 bytes freed\n$/);
  });
});
