import { readdir, readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Buildx } from '../support/buildx.js';
import type { DaemonProcess } from '../support/daemon.js';
import { serveGit } from '../support/git-server.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, succeed } from '../support/processes.js';

const because = 'it is about what docker buildx says to a daemon';

/** Steps that plain progress calls CACHED, by their names without the place in the stage. */
function cachedSteps({ stderr }: Finished): string[] {
  const names = new Map([...stderr.matchAll(/^#(\d+) \[.*?\] (.*)$/gm)].map(([, id, name]) => [id, name]));
  return [...stderr.matchAll(/^#(\d+) CACHED$/gm)].map(([, id]) => names.get(id) ?? '');
}

onWorker('oci', because, 'docker buildx', () => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let buildx: Buildx;
  before(async () => {
    ground = await Ground.open('buildx');
    daemon = await ground.daemon('daemon', {
      config: `[registry."${ground.registry.address}"]\nhttp = true\n`,
    });
    buildx = await Buildx.create(ground, daemon);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  /** Builds to a folder; answers the text of one file. */
  async function built(folder: string, file: string, args: readonly string[] = []): Promise<string> {
    const out = `${folder}.out`;
    await buildx.build(folder, ['--output', out, ...args]);
    return readFile(`${out}/${file}`, 'utf8');
  }

  it('sees the daemon and its worker', async () => {
    const { stdout } = await buildx.succeed(['inspect']);
    expect(stdout).to.match(/^Status:\s+running$/m);
    expect(stdout).to.match(/^Platforms:\s+linux\/\w+/m);
    expect(stdout).to.match(/^ org\.mobyproject\.buildkit\.worker\.snapshotter:\s+\w+$/m);
  });

  it('builds with secrets, cache mounts, here-documents and arguments', async () => {
    const folder = await ground.write('mounts', {
      Dockerfile: [
        `FROM ${ground.base} AS made`,
        'ARG WHO=nobody',
        'RUN --mount=type=cache,target=/cache echo one >>/cache/log && cat /cache/log >/log',
        'RUN --mount=type=secret,id=token cat /run/secrets/token >/token',
        'RUN <<EOF cat >/said',
        'hello $WHO',
        'EOF',
        'FROM scratch',
        'COPY --from=made /log /token /said /',
      ].join('\n'),
      token: 'secret\n',
    });
    const args = (who: string): string[] => [
      ...['--secret', `id=token,src=${folder}/token`, '--build-arg', `WHO=${who}`],
    ];
    expect(await built(folder, 'token', args('there'))).to.equal('secret\n');
    expect(await readFile(`${folder}.out/said`, 'utf8')).to.equal('hello there\n');
    // The argument makes the steps others; what is in the cache mount stays.
    expect(await built(folder, 'log', args('again'))).to.equal('one\none\n');
  });

  it('forwards keys of ssh', async () => {
    const folder = await ground.write('ssh', {
      Dockerfile: [
        `FROM ${ground.base} AS made`,
        'RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo forwarded >/seen',
        'FROM scratch',
        'COPY --from=made /seen /',
      ].join('\n'),
    });
    const key = ground.path('id_ed25519');
    await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    expect(await built(folder, 'seen', ['--ssh', `default=${key}`])).to.equal('forwarded\n');
  });

  describe('takes named contexts', () => {
    const dockerfile = { Dockerfile: 'FROM scratch\nCOPY --from=other /greeting /\n' };

    it('that are folders', async () => {
      const other = await ground.write('other', { greeting: 'from a folder\n' });
      const folder = await ground.write('of-folder', dockerfile);
      expect(await built(folder, 'greeting', ['--build-context', `other=${other}`])).to.equal(
        'from a folder\n',
      );
    });

    it('that are images', async () => {
      const made = await ground.write('image', {
        Dockerfile: 'FROM scratch\nCOPY greeting /\n',
        greeting: 'i\n',
      });
      const name = `${ground.registry.address}/greeting:1`;
      await buildx.build(made, ['--tag', name, '--push']);
      const folder = await ground.write('of-image', dockerfile);
      expect(await built(folder, 'greeting', ['--build-context', `other=docker-image://${name}`])).to.equal(
        'i\n',
      );
    });

    it('that are repositories', async () => {
      const sources = await ground.write('sources', { 'sub/greeting': 'from git\n' });
      await using server = await serveGit(sources, ground.path('git'));
      const folder = await ground.write('of-git', dockerfile);
      const context = `other=${server.url}#main:sub`;
      expect(await built(folder, 'greeting', ['--build-context', context])).to.equal('from git\n');
    });

    it('that are OCI layouts', async () => {
      const made = await ground.write('layout', {
        Dockerfile: 'FROM scratch\nCOPY greeting /\n',
        greeting: 'l\n',
      });
      const [tar, layout] = [ground.path('layout.tar'), ground.path('layout-dir')];
      await buildx.build(made, ['--output', `type=oci,dest=${tar}`]);
      await succeed('sh', ['-c', `mkdir ${layout} && tar -C ${layout} -xf ${tar}`]);
      const index = JSON.parse(await readFile(`${layout}/index.json`, 'utf8'));
      const folder = await ground.write('of-layout', dockerfile);
      const context = `other=oci-layout://${layout}@${index.manifests[0].digest}`;
      expect(await built(folder, 'greeting', ['--build-context', context])).to.equal('l\n');
    });
  });

  it('builds a repository', async () => {
    const sources = await ground.write('project', {
      Dockerfile: 'FROM scratch\nCOPY f /\n',
      f: 'committed\n',
    });
    await using server = await serveGit(sources, ground.path('git-project'));
    const out = ground.path('project.out');
    await buildx.succeed(['build', '--output', out, `${server.url}#main`]);
    expect(await readFile(`${out}/f`, 'utf8')).to.equal('committed\n');
  });

  it('writes tars and images, and what they are to a file', async () => {
    const folder = await ground.write('exports', { Dockerfile: 'FROM scratch\nCOPY f /\n', f: 'x' });
    const [tar, oci, metadata] = [ground.path('x.tar'), ground.path('oci.tar'), ground.path('metadata.json')];
    await buildx.build(folder, ['--output', `type=tar,dest=${tar}`]);
    expect((await succeed('tar', ['-tf', tar])).stdout).to.equal('f\n');
    await buildx.build(folder, [
      '--output',
      `type=oci,dest=${oci}`,
      '--provenance=false',
      '--metadata-file',
      metadata,
    ]);
    const said = JSON.parse(await readFile(metadata, 'utf8'));
    const [manifest] = JSON.parse((await succeed('tar', ['-xOf', oci, 'index.json'])).stdout).manifests;
    expect(said['containerimage.digest']).to.equal(manifest.digest);
    expect(said['buildx.build.ref']).to.match(/^ours\/ours0\/\w+$/);
  });

  it('pushes what another tool can read', async () => {
    const folder = await ground.write('pushed', { Dockerfile: `FROM ${ground.base}\nLABEL by=buildx\n` });
    const name = `${ground.registry.address}/pushed:1`;
    await buildx.build(folder, ['--tag', name, '--push']);
    const { stdout } = await succeed('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`]);
    expect(JSON.parse(stdout).Labels).to.deep.equal({ by: 'buildx' });
    // What clients ask for by default goes to the registry with the image.
    const shown = await buildx.succeed(['imagetools', 'inspect', name, '--format', '{{json .Provenance}}']);
    expect(shown.stdout).to.contain('https://mobyproject.org/buildkit@v1');
  });

  it('puts annotations on index, manifest and descriptor', async () => {
    const folder = await ground.write('annotated', { Dockerfile: `FROM ${ground.base}\n` });
    const name = `${ground.registry.address}/annotated:1`;
    const annotations = ['index:a.b=i', 'manifest:a.b=m', 'manifest-descriptor:a.b=d'];
    await buildx.build(folder, [
      ...annotations.flatMap((text) => ['--annotation', text]),
      '--output',
      `type=image,name=${name},push=true`,
    ]);
    const raw = async (image: string) =>
      JSON.parse((await buildx.succeed(['imagetools', 'inspect', image, '--raw'])).stdout);
    const index = await raw(name);
    const [descriptor] = index.manifests;
    expect(index.annotations).to.deep.equal({ 'a.b': 'i' });
    expect(descriptor.annotations).to.deep.equal({ 'a.b': 'd' });
    const manifest = await raw(`${ground.registry.address}/annotated@${descriptor.digest}`);
    expect(manifest.annotations).to.deep.equal({ 'a.b': 'm' });
  });

  it('builds for several platforms, and makes one image of several', async () => {
    const folder = await ground.write('platforms', {
      Dockerfile: 'FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY f /\n',
      f: 'x',
    });
    const name = (tag: string): string => `${ground.registry.address}/platforms:${tag}`;
    const platforms = async (tag: string): Promise<string> =>
      (await buildx.succeed(['imagetools', 'inspect', name(tag)])).stdout;
    await buildx.build(folder, ['--platform', 'linux/amd64,linux/arm64', '--tag', name('1'), '--push']);
    expect(await platforms('1')).to.match(/linux\/amd64[\s\S]*linux\/arm64/);
    await buildx.build(folder, ['--platform', 'linux/s390x', '--tag', name('2'), '--push']);
    await buildx.succeed(['imagetools', 'create', '--tag', name('3'), name('1'), name('2')]);
    expect(await platforms('3')).to.match(/linux\/arm64[\s\S]*linux\/s390x/);
  });

  it('writes archives for docker load, and layouts as folders', async () => {
    const folder = await ground.write('archives', { Dockerfile: 'FROM scratch\nCOPY f /\n', f: 'x' });
    const [docker, layout] = [ground.path('docker.tar'), ground.path('layout')];
    await buildx.build(folder, ['--tag', 'a/b:c', '--output', `type=docker,dest=${docker}`]);
    const [entry] = JSON.parse((await succeed('tar', ['-xOf', docker, 'manifest.json'])).stdout);
    expect(entry.RepoTags).to.deep.equal(['a/b:c']);
    await buildx.build(folder, ['--output', `type=oci,dest=${layout},tar=false`]);
    expect(await readdir(layout)).to.include.members(['blobs', 'index.json', 'oci-layout']);
  });

  it('builds what comes on standard input', async () => {
    const folder = await ground.write('piped', { Dockerfile: 'FROM scratch\nCOPY f /\n', f: 'piped\n' });
    const out = `${folder}.out`;
    await succeed('tar', ['-cf', `${folder}.tar`, '-C', folder, '.']);
    await buildx.succeed(['build', '--output', out, '-'], { input: await readFile(`${folder}.tar`) });
    expect(await readFile(`${out}/f`, 'utf8')).to.equal('piped\n');
  });

  it('answers questions about a Dockerfile', async () => {
    const folder = await ground.write('asked', {
      Dockerfile: `# first to begin with\nFROM ${ground.base} AS first\n# WHO it is for\nARG WHO=all\nFROM first\n`,
    });
    const ask = async (...question: readonly string[]): Promise<string> =>
      (await buildx.succeed(['build', '--print', ...question, folder], { env: { BUILDX_EXPERIMENTAL: '1' } }))
        .stdout;
    expect(await ask('outline', '--target', 'first')).to.match(/WHO\s+all\s+it is for/);
    expect(await ask('targets')).to.match(/first\s+to begin with/);
  });

  it('tells progress as JSON', async () => {
    const folder = await ground.write('told', { Dockerfile: `FROM ${ground.base}\nRUN echo told\n` });
    const { stderr } = await buildx.succeed(['build', '--progress', 'rawjson', folder]);
    expect(stderr).to.match(/^\s+"name": "\[2\/2\] RUN echo told"/m);
  });

  it('finds in the cache what was built before', async () => {
    const folder = await ground.write('again', { Dockerfile: `FROM ${ground.base}\nRUN echo once >/x\n` });
    expect(cachedSteps(await buildx.build(folder, []))).not.to.include('RUN echo once >/x');
    expect(cachedSteps(await buildx.build(folder, []))).to.include('RUN echo once >/x');
  });

  for (const kind of ['local', 'registry'] as const) {
    it(`keeps the cache elsewhere: ${kind}`, async () => {
      const folder = await ground.write(`cache-${kind}`, {
        Dockerfile: `FROM ${ground.base}\nRUN echo ${kind} >/x\n`,
      });
      const ref = `ref=${ground.registry.address}/cache:1`;
      const dir = ground.path('exported-cache');
      const to = kind === 'local' ? `dest=${dir}` : ref;
      const from = kind === 'local' ? `src=${dir}` : ref;
      await buildx.build(folder, ['--cache-to', `type=${kind},${to},mode=max`]);
      await buildx.succeed(['prune', '--all', '--force']);
      const again = await buildx.build(folder, ['--cache-from', `type=${kind},${from}`]);
      expect(cachedSteps(again)).to.include(`RUN echo ${kind} >/x`);
    });
  }

  it('says where a build failed', async () => {
    const folder = await ground.write('failing', {
      Dockerfile: `FROM ${ground.base}\nRUN echo why; exit 3\n`,
    });
    const { code, stderr } = await buildx.run(['build', '--progress', 'plain', folder]);
    expect(code).to.equal(1);
    expect(stderr).to.include('>>> RUN echo why; exit 3');
    expect(stderr).to.match(/did not complete successfully: exit code: 3\n$/);
  });

  it('bakes targets that build on each other', async () => {
    const out = ground.path('baked');
    const target = (name: string, more = {}) => ({
      context: '.',
      dockerfile: name,
      output: [`type=local,dest=${out}/${name}`],
      ...more,
    });
    const folder = await ground.write('bake', {
      a: 'FROM scratch\nCOPY f /a\n',
      b: 'FROM scratch\nCOPY --from=first /a /b\n',
      f: 'baked\n',
    });
    const file = { group: { default: { targets: ['a', 'b'] } }, target: { a: target('a'), b: {} } };
    file.target.b = target('b', { contexts: { first: 'target:a' } });
    await writeFile(`${folder}/bake.json`, JSON.stringify(file));
    await buildx.succeed(['bake', '-f', 'bake.json'], { cwd: folder });
    expect(await readFile(`${out}/b/b`, 'utf8')).to.equal('baked\n');
    expect(await readdir(`${out}/a`)).to.deep.equal(['a']);
  });

  it('tells what the cache takes, and empties it', async () => {
    const before = (await buildx.succeed(['du'])).stdout;
    expect(before).to.match(/^Total:\s+[\d.]+[kMG]?B$/m);
    const regular = await buildx.succeed(['du', '--verbose', '--filter', 'type=regular']);
    expect(regular.stdout)
      .to.match(/^Type:\s+regular$/m)
      .and.not.match(/^Type:\s+source/m);
    await buildx.succeed(['prune', '--all', '--force']);
    expect((await buildx.succeed(['du'])).stdout).to.match(/^Total:\s+0B$/m);
  });
});
