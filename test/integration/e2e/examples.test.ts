import { readFileSync } from 'node:fs';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { pushNode } from '../support/node-image.js';
import { onWorker } from '../support/over-workers.js';
import { programs, run, succeed } from '../support/processes.js';

const because = 'it is about the examples, most of which have an engine of their own';

const root = join(import.meta.dirname, '../../..');
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');

/** Digests of what the same programs print when they are written in Go. */
const golden = JSON.parse(
  readFileSync(join(root, 'test/fixtures/client-llb/examples.json'), 'utf8'),
) as Readonly<Record<string, string>>;

/** `npx tsx examples/<name> <args> | buildctl debug dump-llb`, as far as it is told. */
async function dumped(name: string, args: string, input = ''): Promise<readonly string[]> {
  const dump = `${process.execPath} ${programs.buildctl} debug dump-llb`;
  const line = `${process.execPath} ${tsx} examples/${name} ${args} | ${dump}`;
  const { stdout } = await succeed('sh', ['-c', line], { input });
  return stdout.trim().split('\n');
}

/** Stands in for the Go tools: lists the folders below cmd, and writes what it would have built. */
const go = `#!/bin/sh
case "$1" in
  list) for folder in cmd/*; do echo "example.com/m/$folder"; done ;;
  build) echo "built from $4" >"$3/\${4##*/}" ;;
esac
`;

async function goImage(ground: Ground, daemon: DaemonProcess): Promise<string> {
  const Dockerfile = `FROM ${ground.base}\nCOPY go /usr/local/go/bin/go\n`;
  const folder = await ground.write('go', { Dockerfile, go });
  await chmod(join(folder, 'go'), 0o755);
  const name = `${ground.registry.address}/go:1`;
  const args = buildArgs({ folder, outputs: [`type=image,name=${name},push=true`] });
  const { code, stderr } = await daemon.buildctl(args);
  expect(code, stderr).to.equal(0);
  return name;
}

onWorker('oci', because, 'example programs', () => {
  for (const [name, digest] of Object.entries(golden)) {
    it(`${name} prints what its twin in Go prints`, async () => {
      const line = `${process.execPath} ${tsx} examples/${name} | sha256sum`;
      const { stdout } = await succeed('sh', ['-c', line]);
      expect(`sha256:${stdout.slice(0, 64)}`).to.equal(digest);
    });
  }

  it('buildkit3 takes directories of the client where they are asked for', async () => {
    const ops = await dumped('buildkit3', '--runc=local --no-with-containerd');
    expect(ops.filter((op) => op.includes('local://runc-src'))).to.have.length(1);
    expect(ops.filter((op) => op.includes('containerd'))).to.have.length(0);
  });

  it('gobuild lists, generates and builds', async () => {
    const ops = (await dumped('gobuild', '')).map((op) => JSON.parse(op).Op);
    const builds = ops.filter(({ Op }) => Op?.build);
    expect(builds).to.have.length(1);
    expect(ops.flatMap(({ Op }) => Op?.exec?.meta.args[0] ?? [])).to.deep.equal(['sh', 'node']);
  });

  describe('with a daemon', () => {
    let ground: Ground;
    let daemon: DaemonProcess;
    before(async () => {
      ground = await Ground.open('examples');
      const config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
      daemon = await ground.daemon('daemon', { config });
    });
    after(async () => {
      await daemon[Symbol.asyncDispose]();
      await ground[Symbol.asyncDispose]();
    });

    /** `npx tsx examples/<name> <args> | buildctl build …`; answers the folder that comes out. */
    async function built(name: string, args: string, build = ''): Promise<string> {
      const out = ground.path(`${name}.out`);
      const buildctl = `${process.execPath} ${programs.buildctl} --addr ${daemon.address} build`;
      const line = `${process.execPath} ${tsx} examples/${name} ${args} | ${buildctl} ${build} --output ${out}`;
      await succeed('sh', ['-c', line]);
      return out;
    }

    it('nested builds what a step has written', async () => {
      const out = await built('nested', ground.base);
      expect(await readFile(join(out, 'built-at'), 'utf8')).to.match(/ \d{4}\n$/);
    });

    it('gobuild builds each program that it finds in the sources', async () => {
      const go = await goImage(ground, daemon);
      const node = await pushNode(ground, daemon);
      const src = await ground.write('module', { 'cmd/alpha/main.go': '', 'cmd/beta/main.go': '' });
      const out = await built('gobuild', `--go-image=${go} --node-image=${node}`, `--local src=${src}`);
      expect((await readdir(out)).sort()).to.deep.equal(['alpha', 'beta']);
      expect(await readFile(join(out, 'beta'), 'utf8')).to.equal('built from example.com/m/cmd/beta\n');
    });
  });

  it('dockerfile2llb prints a Dockerfile as LLB', async () => {
    const ops = await dumped(
      'dockerfile2llb',
      '--target=a',
      'FROM scratch AS a\nCOPY x /\nFROM a\nCOPY y /\n',
    );
    expect(ops.filter((op) => op.includes('"copy"'))).to.have.length(1);
  });

  it('say which flag they do not know', async () => {
    const { code, stderr } = await run(process.execPath, [tsx, 'examples/buildkit0', '--runk=1']);
    expect(code).to.equal(1);
    expect(stderr).to.include("Unknown option '--runk'");
  });
});
