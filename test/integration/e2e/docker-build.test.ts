import { chmod, readFile, rm } from 'node:fs/promises';
import { expect } from 'chai';
import type { DaemonProcess } from '../support/daemon.js';
import { Docker, whyNotDocker } from '../support/docker.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { type Finished, programs, type RunOptions, run, succeed } from '../support/processes.js';

/** What docker is to the program: it takes an archive, and says what it has loaded. */
const docker = (archive: string): string => `#!/bin/sh
[ "$*" = load ] || exit 64
cat >${archive}
echo "Loaded image: example.com/app:1"
`;

const broken = `#!/bin/sh
echo "Cannot connect to the Docker daemon" >&2
exit 1
`;

onWorker(
  'oci',
  'the daemon does this, and whatever runs its steps has no part in it',
  'build-using-dockerfile',
  () => {
    let ground: Ground;
    let daemon: DaemonProcess;
    let folder: string;
    let archive: string;
    before(async () => {
      ground = await Ground.open('docker-build');
      daemon = await ground.daemon('daemon');
      archive = ground.path('image.tar');
      folder = await ground.write('context', {
        'sub/release.Dockerfile': `FROM ${ground.base} AS one
ARG WHO
RUN echo "$WHO" >/who
FROM one
RUN false
`,
        Dockerfile: `FROM ${ground.base}\nCOPY file /\n`,
        file: 'content\n',
      });
      await ground.write('bin', { docker: docker(archive) });
      await ground.write('broken', { docker: broken });
      for (const name of ['bin', 'broken']) await chmod(ground.path(name, 'docker'), 0o755);
    });
    after(async () => {
      await daemon[Symbol.asyncDispose]();
      await ground[Symbol.asyncDispose]();
    });
    beforeEach(() => rm(archive, { force: true }));

    const build = (args: readonly string[], bin = 'bin', options: RunOptions = {}): Promise<Finished> =>
      run(programs.dockerBuild, ['--progress=plain', ...args], {
        ...options,
        env: { PATH: `${ground.path(bin)}:/usr/bin:/bin`, BUILDKIT_HOST: daemon.address, ...options.env },
      });
    const inspected = async (): Promise<{ readonly Labels: unknown }> =>
      JSON.parse((await succeed('skopeo', ['inspect', `docker-archive:${archive}`])).stdout);

    for (const [where, flags] of [
      ['the daemon', []],
      ['the client', ['--clientside-frontend']],
    ] as const) {
      it(`gives docker the image of a Dockerfile that ${where} reads`, async () => {
        const file = `${folder}/sub/release.Dockerfile`;
        const options = [
          '-f',
          file,
          '--target=one',
          '--build-arg=WHO',
          '--label=a=b',
          '-t',
          'example.com/app:1',
        ];
        const { code, stdout, stderr } = await build([...flags, ...options, folder], 'bin', {
          env: { WHO: 'us' },
        });
        expect(code, stderr).to.equal(0);
        expect(stdout).to.equal('Loaded image: example.com/app:1\n');
        expect((await inspected()).Labels).to.deep.equal({ a: 'b' });
        const { stdout: manifest } = await succeed('tar', ['-xOf', archive, 'manifest.json']);
        expect(JSON.parse(manifest)[0].RepoTags).to.deep.equal(['example.com/app:1']);
      });
    }

    it('says what docker says when it takes nothing', async () => {
      const { code, stderr } = await build([folder], 'broken');
      expect([code, stderr]).to.deep.equal([1, stderr]);
      expect(stderr).to.match(/^error: .*docker load: Cannot connect to the Docker daemon$/m);
    });

    it('asks docker for nothing when the build fails', async () => {
      const { code, stderr } = await build(['-f', `${folder}/sub/release.Dockerfile`, folder]);
      expect(code).to.equal(1);
      expect(stderr).to.match(/^error: failed to solve: .*exit code: 1$/m);
      expect(await readFile(archive).catch(() => 'not there')).to.equal('not there');
    });

    const why = whyNotDocker();
    if (why !== undefined) it.skip(`leaves images in a real docker: ${why}`);
    else
      it('leaves images in a real docker', async () => {
        await using docker = await Docker.start();
        const { code, stdout, stderr } = await run(
          programs.dockerBuild,
          ['--progress=plain', '-t', 'app:1', '-t', 'app:2', folder],
          { env: { ...docker.env, BUILDKIT_HOST: daemon.address } },
        );
        expect(code, stderr).to.equal(0);
        expect(stdout).to.equal('Loaded image: app:1\nLoaded image: app:2\n');
        const ran = await docker.docker('run', '--rm', '--network=none', 'app:2', 'cat', '/file');
        expect(ran.stdout).to.equal('content\n');
      });

    it('says what to install where there is no docker', async () => {
      const { code, stderr } = await build([folder], 'bin', { env: { PATH: '/nowhere' } });
      expect([code, stderr]).to.deep.equal([
        1,
        'error: docker is not there, and the image is to be loaded into it\n' +
          'hint: install docker.io, or have a file: buildctl build --frontend dockerfile.v0 … --output type=docker,dest=image.tar\n',
      ]);
    });
  },
);
