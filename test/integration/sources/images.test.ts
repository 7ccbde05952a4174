/** Images as builds find them: registries with passwords, authorities and mirrors, layouts of the client, policies. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { DockerRegistry } from '../../support/docker-registry.js';
import { buildArgs } from '../support/build.js';
import { Buildx } from '../support/buildx.js';
import { Certificates } from '../support/certificates.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import type { Finished, RunOptions } from '../support/processes.js';

// `me` with the password `secret`.
const htpasswd = 'me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';

overWorkers('images of builds', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let buildx: Buildx;
  before(async () => {
    ground = await Ground.open('images', worker);
    daemon = await ground.daemon('daemon', { config: plainHttp(ground.registry.address) });
    buildx = await Buildx.create(ground, daemon);
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const plainHttp = (host: string): string => `[registry."${host}"]\nhttp = true\n`;
  let folders = 0;
  const dockerfile = (text: string): Promise<string> =>
    ground.write(`folder${folders++}`, { Dockerfile: text, greeting: 'hello\n' });

  /** Builds to a folder; answers the text of `/greeting`. */
  async function greeting(
    on: DaemonProcess,
    text: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<string> {
    const folder = await dockerfile(text);
    const outputs = [`type=local,dest=${folder}.out`];
    expectDone(await on.buildctl(buildArgs({ folder, outputs, args }), options));
    return readFile(`${folder}.out/greeting`, 'utf8');
  }
  async function push(on: DaemonProcess, name: string, options: RunOptions = {}): Promise<void> {
    const folder = await dockerfile('FROM scratch\nCOPY greeting /\n');
    const outputs = [`type=image,name=${name},push=true`];
    expectDone(await on.buildctl(buildArgs({ folder, outputs }), options));
  }
  function expectDone({ code, stderr }: Finished): void {
    expect(code, stderr.slice(-2000)).to.equal(0);
  }
  async function failing(
    on: DaemonProcess,
    text: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<string> {
    const finished = await on.buildctl(buildArgs({ folder: await dockerfile(text), args }), options);
    expect(finished.code).to.equal(1);
    return finished.stderr;
  }

  describe('from a registry', () => {
    it("are pushed and pulled with the user's password", async () => {
      await using registry = await DockerRegistry.start(htpasswd);
      const auths = { [registry.host]: { auth: Buffer.from('me:secret').toString('base64') } };
      const config = await ground.write('docker', { 'config.json': JSON.stringify({ auths }) });
      const stranger = await ground.write('stranger', { 'config.json': '{}' });
      const name = `${registry.host}/a/b:1`;
      const text = `FROM ${name}\n`;
      await push(daemon, name, { env: { DOCKER_CONFIG: config } });
      expect(await failing(daemon, text, [], { env: { DOCKER_CONFIG: stranger } })).to.contain(
        'pull access denied, repository does not exist or may require authorization',
      );
      expect(await greeting(daemon, text, [], { env: { DOCKER_CONFIG: config } })).to.equal('hello\n');
    });

    it('are trusted through an authority of their own, and not without', async () => {
      const certificates = await Certificates.open(ground.site.home('certificates'));
      await certificates.authority('authority');
      await certificates.signed('registry', 'authority', 'IP:127.0.0.1');
      await using registry = await DockerRegistry.start(undefined, {
        certificate: certificates.file('registry.pem'),
        key: certificates.file('registry.key'),
      });
      const https = `[registry."${registry.host}"]\nhttp = false\n`;
      const name = `${registry.host}/a/b:1`;
      {
        await using trusting = await ground.daemon('trusting', {
          config: `${https}ca = ["${certificates.file('authority.pem')}"]\n`,
        });
        await push(trusting, name);
        expect(await greeting(trusting, `FROM ${name}\n`)).to.equal('hello\n');
      }
      await using strict = await ground.daemon('strict', { config: https });
      expect(await failing(strict, `FROM ${name}\n`)).to.contain('tls: failed to verify certificate');
    });

    it('come from the next mirror when one is down, and from the registry when all are', async () => {
      const { address } = ground.registry;
      const name = 'mirrored/greeting:1';
      await push(daemon, `${address}/${name}`);
      const down = '127.0.0.1:1';
      const config = [
        ...['[registry."images.invalid"]', `mirrors = ["${down}", "${address}"]`],
        ...[`[registry."${address}"]`, 'http = true', `mirrors = ["${down}"]`],
        ...[`[registry."${down}"]`, 'http = true'],
      ];
      await using mirrored = await ground.daemon('mirrored', { config: `${config.join('\n')}\n` });
      expect(await greeting(mirrored, `FROM images.invalid/${name}\n`)).to.equal('hello\n');
      expect(await greeting(mirrored, `FROM ${address}/${name}\n`)).to.equal('hello\n');
      const missing = await failing(mirrored, 'FROM images.invalid/no/such:1\n');
      expect(missing).to.contain(`(mirrors: ${down}: `).and.to.contain('images.invalid/no/such:1');
    });
  });

  describe('from an OCI layout of the client', () => {
    let layout: string;
    let digest: string;
    before(async () => {
      layout = ground.path('layout');
      const folder = await dockerfile('FROM scratch\nCOPY greeting /\n');
      expectDone(await daemon.buildctl(buildArgs({ folder, outputs: [`type=oci,dest=${layout}.tar`] })));
      await mkdir(layout);
      expect(spawnSync('tar', ['xf', `${layout}.tar`, '-C', layout]).status).to.equal(0);
      const index = JSON.parse(await readFile(`${layout}/index.json`, 'utf8'));
      digest = index.manifests[0].digest;
      // Nothing but the layout can answer.
      await daemon.buildctl(['prune', '--all']);
    });

    it('are a named context of buildctl', async () => {
      const args = ['--oci-layout', `base=${layout}`, '--opt', `context:base=oci-layout://base@${digest}`];
      expect(await greeting(daemon, 'FROM base\n', args)).to.equal('hello\n');
      expect(await greeting(daemon, 'FROM scratch\nCOPY --from=base /greeting /\n', args)).to.equal(
        'hello\n',
      );
    });

    it('are a named context of buildx', async () => {
      const folder = await dockerfile('FROM base\n');
      const context = `base=oci-layout://${layout}@${digest}`;
      await buildx.build(folder, ['--build-context', context, '--output', `${folder}.out`]);
      expect(await readFile(`${folder}.out/greeting`, 'utf8')).to.equal('hello\n');
    });

    it('are refused under a name or a digest that the client does not have', async () => {
      const other = `sha256:${'0'.repeat(64)}`;
      const args = (spec: string) => ['--oci-layout', `base=${layout}`, '--opt', `context:base=${spec}`];
      expect(await failing(daemon, 'FROM base\n', args(`oci-layout://other@${digest}`))).to.contain(
        'unknown store oci:other',
      );
      expect(await failing(daemon, 'FROM base\n', args(`oci-layout://base@${other}`))).to.contain(
        `blob ${other} is not in the layout`,
      );
    });
  });

  describe('under source policies', () => {
    const policy = async (name: string, ...rules: readonly object[]): Promise<string> => {
      const file = ground.path(name);
      await writeFile(file, JSON.stringify({ version: 1, rules }));
      return file;
    };

    it('are denied', async () => {
      const selector = { identifier: 'docker-image://*' };
      const file = await policy('deny.json', { action: 'DENY', selector });
      const stderr = await failing(daemon, `FROM ${ground.base}\n`, ['--source-policy-file', file]);
      expect(stderr).to.contain(`source "docker-image://${ground.base}" denied by policy`);
    });

    it('stand in for others', async () => {
      const name = `${ground.registry.address}/pinned/greeting:1`;
      await push(daemon, name);
      const selector = { identifier: 'docker-image://docker.io/library/greeting:*' };
      const updates = { identifier: `docker-image://${ground.registry.address}/pinned/greeting:$1` };
      const file = await policy('convert.json', { action: 'CONVERT', selector, updates });
      const env = { EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: file };
      expect(await greeting(daemon, 'FROM greeting:1\n', [], { env })).to.equal('hello\n');
      const folder = await dockerfile('FROM greeting:1\n');
      await buildx.succeed(['build', '--output', `${folder}.out`, folder], { env });
      expect(await readFile(`${folder}.out/greeting`, 'utf8')).to.equal('hello\n');
    });
  });
});
