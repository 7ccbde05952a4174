/** The example frontend of examples/frontend: bundled, built into an image, and used in every way there is. */
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { pushNode } from '../support/node-image.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, run, succeed } from '../support/processes.js';

const root = join(import.meta.dirname, '../../..');

overWorkers(
  'a frontend image',
  (worker) => {
    let ground: Ground;
    let daemon: DaemonProcess;
    let image: string;
    let site: string;

    before(async function () {
      this.timeout(240_000);
      ground = await Ground.open('frontend', worker);
      const registry = `[registry."${ground.registry.address}"]\nhttp = true\n`;
      site = await ground.write('site', {});
      install(site);
      await succeed(process.execPath, [join(site, 'recipe/bundle.mjs')]);
      daemon = await ground.daemon('daemon', {
        config: `${registry}[plugins]\nload = ["${join(site, 'recipe/dist/plugin.mjs')}"]\n`,
      });
      const node = await pushNode(ground, daemon);
      image = `${ground.registry.address}/recipe:1`;
      await succeed(process.execPath, [join(site, 'recipe/build-image.mjs'), image, node], {
        env: { BUILDKIT_HOST: daemon.address },
      });
    });
    after(async () => {
      await daemon?.[Symbol.asyncDispose]();
      await ground?.[Symbol.asyncDispose]();
    });

    const recipe = (more = ''): string =>
      `# syntax=${image}\nfrom ${ground.base}\nadd data.txt /data/\nrun cat /data/data.txt > /made\n${more}`;
    const build = async (text: string, ...flags: string[]): Promise<Finished & { readonly made: string }> => {
      const context = await ground.write('context', { 'data.txt': 'hello\n', Recipe: text });
      const out = ground.path('out');
      const finished = await daemon.buildctl([
        'build',
        ...['--progress', 'plain', ...flags],
        ...['--local', `context=${context}`, '--local', `dockerfile=${context}`],
        ...['--output', `type=local,dest=${out}`],
      ]);
      return { ...finished, made: finished.code === 0 ? readFileSync(join(out, 'made'), 'utf8') : '' };
    };

    it('builds what gateway.v0 is given as its source', async () => {
      const { made, stderr } = await build(recipe(), '--frontend', 'gateway.v0', '--opt', `source=${image}`);
      expect(made, stderr).to.equal('hello\n');
    });

    it('builds files whose first line names it', async () => {
      const { made, stderr } = await build(
        recipe(),
        '--frontend',
        'dockerfile.v0',
        '--opt',
        'filename=Recipe',
      );
      expect(made, stderr).to.equal('hello\n');
    });

    it('builds as a plugin of the daemon, too', async () => {
      const { made, stderr } = await build(recipe(), '--frontend', 'recipe.v0');
      expect(made, stderr).to.equal('hello\n');
    });

    const ways: readonly [name: string, flags: () => string[]][] = [
      ['as an image', () => ['--frontend', 'gateway.v0', '--opt', `source=${image}`]],
      ['as a plugin', () => ['--frontend', 'recipe.v0']],
    ];
    for (const [way, flags] of ways) {
      it(`says, ${way}, where in its file a step failed`, async () => {
        const { stderr } = await build(recipe('run exit 4\n'), ...flags());
        expect(stderr).to.contain('   5 | >>> run exit 4');
        expect(stderr).to.match(/process "\/bin\/sh -c exit 4" did not complete successfully: exit code: 4/);
      });

      it(`runs, ${way}, containers of its own on what it built`, async () => {
        expect((await build(recipe('check test -f /made\n'), ...flags())).made).to.equal('hello\n');
        const { stderr } = await build(recipe('check echo no such thing; exit 1\n'), ...flags());
        expect(stderr).to.contain('the check "echo no such thing; exit 1" failed: no such thing');
      });
    }

    it('that is not there is told with the line that names it', async () => {
      const missing = `${ground.registry.address}/none:1`;
      const { code, stderr } = await build(
        `# syntax=${missing}\n`,
        '--frontend',
        'dockerfile.v0',
        '--opt',
        'filename=Recipe',
      );
      expect(code).to.equal(1);
      expect(stderr).to.contain(`   1 | >>> # syntax=${missing}`);
      expect(stderr).to.contain(`${missing}: not found`);
    });

    it('leaves no container behind', async () => {
      const running = await run('pgrep', ['-f', '/frontend/main.mjs']);
      expect(running.stdout).to.equal('');
    });
  },
  {
    except: { 'oci-rootless': 'its daemon cannot read the plugin, which root has built' },
  },
);

/** The example as its users have it: a folder of its own, with its packages beside it. */
function install(site: string): void {
  mkdirSync(join(site, 'node_modules'), { recursive: true });
  symlinkSync(root, join(site, 'node_modules/buildkit-ts'));
  for (const name of ['zod', 'esbuild']) {
    symlinkSync(join(root, 'node_modules', name), join(site, 'node_modules', name));
  }
  cpSync(join(root, 'examples/frontend'), join(site, 'recipe'), { recursive: true });
}
