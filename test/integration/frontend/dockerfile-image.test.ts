/** The Dockerfile frontend of this project as an image, named by `# syntax=`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { pushNode } from '../support/node-image.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, succeed } from '../support/processes.js';

const root = join(import.meta.dirname, '../../..');

overWorkers('the Dockerfile frontend as an image', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let image: string;

  before(async function () {
    this.timeout(240_000);
    ground = await Ground.open('dockerfile-image', worker);
    const config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
    daemon = await ground.daemon('daemon', { config });
    const node = await pushNode(ground, daemon);
    image = `${ground.registry.address}/dockerfile:1`;
    await succeed(process.execPath, [join(root, 'scripts/dockerfile-image.mjs'), image, node], {
      env: { BUILDKIT_HOST: daemon.address },
    });
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const build = async (lines: readonly string[], ...flags: string[]): Promise<Finished> => {
    const text = [`# syntax=${image}`, ...lines, ''].join('\n');
    const context = await ground.write('context', { 'data.txt': 'hello\n', Dockerfile: text });
    return daemon.buildctl([
      ...['build', '--progress', 'plain', '--frontend', 'dockerfile.v0', ...flags],
      ...['--local', `context=${context}`, '--local', `dockerfile=${context}`],
    ]);
  };
  const stages = (): string[] => [
    `FROM ${ground.base} AS made`,
    'ARG GREETING',
    'COPY data.txt /',
    'RUN echo "$GREETING" >>/data.txt',
    'FROM scratch',
    'COPY --from=made /data.txt /',
  ];

  it('builds what names it', async () => {
    const out = ground.path('out');
    const { code, stderr } = await build(
      stages(),
      ...['--opt', 'build-arg:GREETING=world', '--output', `type=local,dest=${out}`],
    );
    expect(code, stderr).to.equal(0);
    expect(readFileSync(join(out, 'data.txt'), 'utf8')).to.equal('hello\nworld\n');
    expect(stderr).to.contain(`resolve image config for docker-image://${image}`);
  });

  it('says what is wrong, and where', async () => {
    const { code, stderr } = await build([...stages(), 'RUNN make']);
    expect(code).to.equal(1);
    expect(stderr).to.contain('   8 | >>> RUNN make');
    expect(stderr).to.contain('unknown instruction: RUNN (did you mean RUN?)');
  });

  it('warns', async () => {
    const { stderr } = await build([...stages(), 'CMD run me']);
    expect(stderr).to.contain('WARN: JSONArgsRecommended: JSON arguments recommended for CMD');
  });

  it('answers questions', async () => {
    const { code, stdout, stderr } = await build(stages(), '--opt', 'requestid=frontend.outline');
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^BUILD ARG +VALUE +DESCRIPTION\nGREETING/);
  });
});
