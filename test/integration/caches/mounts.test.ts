/** Cache mounts that are exported with a cache: what steps of a fresh daemon find in theirs. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildArgs, ranSteps, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import type { Finished } from '../support/processes.js';

const cacheMounts = [
  '--mount=type=cache,id=npm,target=/npm',
  '--mount=type=cache,target=/root/.plain',
  '--mount=type=cache,id=own,uid=1000,mode=0700,target=/own',
].join(' ');

/** Removes the layers of cache mounts from a layout. */
async function loseMounts(layout: string): Promise<void> {
  const pathOf = (digest: string): string => join(layout, 'blobs', ...digest.split(':'));
  const read = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T;
  type Blob = { readonly digest: string };
  const index = await read<{ readonly manifests: readonly Blob[] }>(join(layout, 'index.json'));
  const manifest = await read<{ readonly config: Blob }>(pathOf(index.manifests[0]!.digest));
  const { layers, mounts } = await read<{
    readonly layers: readonly { readonly blob: string }[];
    readonly mounts: readonly { readonly layer: number }[];
  }>(pathOf(manifest.config.digest));
  for (const { layer } of mounts) await rm(pathOf(layers[layer]!.blob));
}

const warningsOf = (progress: string): readonly string[] =>
  progress
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => (JSON.parse(line) as { warnings?: { short: string }[] }).warnings ?? [])
    .map(({ short }) => Buffer.from(short, 'base64').toString());

overWorkers('cache mounts in an exported cache', function (worker) {
  this.timeout(120_000);
  let ground: Ground;
  let config: string;
  let made = 0;
  before(async () => {
    ground = await Ground.open('cache-mounts', worker);
    config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
  });
  after(() => ground[Symbol.asyncDispose]());

  const fresh = (): Promise<DaemonProcess> => ground.daemon(`daemon${made++}`, { config });
  async function build(
    daemon: DaemonProcess,
    command: string,
    ...args: readonly string[]
  ): Promise<Finished> {
    const Dockerfile = `FROM ${ground.base}\nRUN ${cacheMounts} ${command}\n`;
    const folder = await ground.write(`context${made++}`, { Dockerfile });
    const finished = await daemon.buildctl(buildArgs({ folder, args }));
    expect(finished.code, finished.stderr).to.equal(0);
    return finished;
  }
  const logOf = ({ stderr }: Finished): readonly string[] =>
    stepsOf(stderr)
      .filter(({ name }) => name.includes('] RUN '))
      .flatMap(({ log }) => log.trim().split('\n'));

  const gather =
    'mkdir /npm/d && echo one >/npm/d/one && ln -s d/one /npm/link && echo two >/root/.plain/two && echo mine >/own/mine';
  const look = 'cd / && find npm root/.plain own | sort && cat /npm/link /own/mine && stat -c "%u %a" /own';
  const gathered = [
    ...['npm', 'npm/d', 'npm/d/one', 'npm/link', 'own', 'own/mine', 'root/.plain', 'root/.plain/two'],
    ...['one', 'mine', '1000 700'],
  ];
  const gatherAndExport = async (out: string): Promise<void> => {
    await using daemon = await fresh();
    await build(daemon, gather, '--export-cache', out);
  };

  const places = (tag: string): readonly (readonly [type: string, out: string, back: string])[] => {
    const ref = `ref=${ground.registry.address}/cache/mounts:${tag}`;
    const folder = ground.path(tag);
    return [
      ['registry', `type=registry,${ref}`, `type=registry,${ref}`],
      ['local', `type=local,dest=${folder}`, `type=local,src=${folder}`],
    ];
  };
  for (const [at, type] of ['registry', 'local'].entries()) {
    it(`are where changed steps of a fresh daemon begin (${type})`, async () => {
      const [, out, back] = places('named')[at]!;
      await gatherAndExport(`${out},mounts=npm;/root/.plain;own`);
      await using daemon = await fresh();
      expect(logOf(await build(daemon, look, '--import-cache', back))).to.deep.equal(gathered);
    });

    it(`are not there when nobody named them (${type})`, async () => {
      const [, out, back] = places('unnamed')[at]!;
      await gatherAndExport(out);
      await using daemon = await fresh();
      const found = logOf(
        await build(daemon, 'cd / && find npm root/.plain own | sort', '--import-cache', back),
      );
      expect(found).to.deep.equal(['npm', 'own', 'root/.plain']);
    });
  }

  it('never replace what a daemon has', async () => {
    const [, out, back] = places('kept')[0]!;
    await gatherAndExport(`${out},mounts=npm;own`);
    await using daemon = await fresh();
    await build(daemon, 'echo here >/npm/here');
    const found = logOf(await build(daemon, 'ls /npm /own', '--import-cache', back));
    expect(found).to.deep.equal(['/npm:', 'here', '', '/own:']);
  });

  it('are not lost by a build whose steps are all cached, and are the same bytes then', async () => {
    const [[, out, back], [, , again]] = [places('first')[0]!, places('second')[0]!];
    const mounts = 'mounts=npm;/root/.plain;own';
    await gatherAndExport(`${out},${mounts}`);
    await using middle = await fresh();
    const cached = await build(
      middle,
      gather,
      '--import-cache',
      back,
      '--export-cache',
      `${again},${mounts}`,
    );
    expect(ranSteps(cached)).to.deep.equal([]);
    const manifest = async (tag: string): Promise<string> => {
      const url = `http://${ground.registry.address}/v2/cache/mounts/manifests/${tag}`;
      return (await fetch(url, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } })).text();
    };
    expect(await manifest('second')).to.equal(await manifest('first'));
  });

  it('warn of a name that no step has used, and of what is nearest', async () => {
    const [, out] = places('unknown')[0]!;
    await using daemon = await fresh();
    const { stderr } = await build(daemon, gather, '--export-cache', `${out},mounts=nmp`);
    expect(warningsOf(stderr)).to.deep.equal([
      'cache mount "nmp" is not exported: there is none with that id (did you mean "npm"?)',
    ]);
  });

  it('begin empty where the layers are gone', async () => {
    const [, out, back] = places('lost')[1]!;
    await gatherAndExport(`${out},mounts=npm`);
    await loseMounts(ground.path('lost'));
    await using daemon = await fresh();
    const finished = await build(daemon, 'ls -A /npm && echo done', '--import-cache', back);
    expect(logOf(finished)).to.deep.equal(['done']);
    expect(warningsOf(finished.stderr)).to.deep.equal([
      'cache mount "/npm" begins empty: what was imported for it could not be read',
    ]);
  });
});
