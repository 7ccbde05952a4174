import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildArgs, stepsOf } from '../support/build.js';
import { Ground } from '../support/ground.js';
import { overWorkers, withFuse } from '../support/over-workers.js';
import { programs, succeed } from '../support/processes.js';
import { type TreeOptions, treeDifferences, treeLines } from '../support/tree.js';
import type { WorkerKind } from '../support/workers.js';

const example = 'examples/multistage';

/** Layers hold times in whole seconds, as BuildKit's do. */
const toSeconds: TreeOptions = { seconds: true };

const multistage = (worker: WorkerKind): void => {
  let ground: Ground;
  let progress = '';
  before(async () => {
    ground = await Ground.open('multistage', worker);
    const args = buildArgs({
      folder: example,
      opts: { 'build-arg:BASE': ground.base, 'build-arg:VERSION': '2.5.0' },
      outputs: [
        `type=oci,name=example/multistage:latest,dest=${ground.path('image.tar')}`,
        `type=local,dest=${ground.path('rootfs')}`,
        `type=tar,dest=${ground.path('rootfs.tar')}`,
      ],
    });
    await using daemon = await ground.daemon('daemon');
    progress = (await succeed(programs.buildctl, ['--addr', daemon.address, ...args])).stderr;
    await succeed('skopeo', [
      'copy',
      `oci-archive:${ground.path('image.tar')}`,
      `oci:${ground.path('layout')}:latest`,
    ]);
    await succeed('umoci', ['unpack', '--image', ground.path('layout:latest'), ground.path('bundle')]);
  });
  after(() => ground[Symbol.asyncDispose]());

  const unpacked = (options = toSeconds): Record<string, string> =>
    treeLines(ground.path('bundle/rootfs'), options);

  it('finishes every step', () => {
    const unfinished = stepsOf(progress).filter(({ completed, error }) => !completed || error !== '');
    expect(unfinished).to.deep.equal([]);
  });

  it('makes a tarball that skopeo reads, with the configuration that the Dockerfile says', async () => {
    const { stdout } = await succeed('skopeo', [
      'inspect',
      '--config',
      '--raw',
      `oci-archive:${ground.path('image.tar')}`,
    ]);
    const { config, rootfs, history, architecture, os } = JSON.parse(stdout);
    expect({ os, architecture }).to.deep.equal({
      os: 'linux',
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    });
    expect(config).to.deep.equal({
      User: 'greeter',
      Env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'GREETING_FILE=/home/greeter/.greeting',
      ],
      // BuildKit says so of every command in exec form.
      ArgsEscaped: true,
      Entrypoint: ['greeter'],
      Cmd: ['world'],
      WorkingDir: '/home/greeter',
      Labels: { 'org.opencontainers.image.title': 'greeter', 'org.opencontainers.image.version': '2.5.0' },
      Healthcheck: { Test: ['CMD', 'greeter', '--check'], Interval: 60_000_000_000 },
    });
    // The base, RUN, two COPYs, and WORKDIR, whose folder is there already.
    const filled = history.filter((entry: { empty_layer?: boolean }) => !entry.empty_layer);
    expect(filled).to.have.length(rootfs.diff_ids.length);
  });

  it('names the image in the tarball', async () => {
    const index = JSON.parse(await readFile(ground.path('layout/index.json'), 'utf8'));
    expect(index.manifests).to.have.length(1);
    const { stdout } = await succeed('tar', ['-xOf', ground.path('image.tar'), 'index.json']);
    expect(JSON.parse(stdout).manifests[0].annotations).to.include({
      'io.containerd.image.name': 'docker.io/example/multistage:latest',
      'org.opencontainers.image.ref.name': 'latest',
    });
  });

  it('exports the same tree as layers and as a tar', async () => {
    await mkdir(ground.path('tar'));
    await succeed('tar', ['-xpf', ground.path('rootfs.tar'), '--same-owner', '-C', ground.path('tar')]);
    const fromTar = treeLines(ground.path('tar'), toSeconds);
    expect(treeDifferences(unpacked(), fromTar)).to.deep.equal({});
    expect(Object.keys(fromTar).length).to.be.above(280);
  });

  it('exports the same tree as a folder, owned by who asked for it', () => {
    const mine = { ...toSeconds, owner: `${process.getuid!()}:${process.getgid!()}` };
    const exported = treeLines(ground.path('rootfs'), toSeconds);
    expect(treeDifferences(unpacked(mine), exported)).to.deep.equal({});
  });

  it('has the program in it, built from the sources', async () => {
    const program = join(ground.path('rootfs'), 'usr/bin/greeter');
    const greeting = join(ground.path('rootfs'), 'home/greeter/.greeting');
    expect(await readFile(greeting, 'utf8')).to.equal('Hello from version 2.5.0\n');
    const env = { GREETING_FILE: greeting };
    const { stdout } = await succeed('sh', [program, 'world'], { env });
    expect(stdout).to.include('Hello from version 2.5.0');
  });
};

overWorkers('the multi-stage example', multistage, { workers: withFuse });
