import { mkdir, rm } from 'node:fs/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { succeed } from '../support/processes.js';
import { treeDifferences, treeLines } from '../support/tree.js';

const compressions = ['uncompressed', 'gzip', 'estargz', 'zstd'] as const;

/** Options of builds, by what is stated about their results. */
const attestations: Readonly<Record<string, (scanner: string) => Readonly<Record<string, string>>>> = {
  none: () => ({}),
  min: () => ({ 'attest:provenance': 'mode=min' }),
  max: () => ({ 'attest:provenance': 'mode=max,version=v1' }),
  sbom: (generator) => ({ 'attest:sbom': `generator=${generator}` }),
};

onWorker('oci', 'exporters write what they write whatever the worker', 'images in every form', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let app: string;
  let scanner: string;
  /** The result, as the exporter `tar` leaves it. */
  let expected: Record<string, string>;

  before(async function () {
    this.timeout(300_000);
    ground = await Ground.open('forms', worker);
    const config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
    daemon = await ground.daemon('daemon', { config });
    app = await ground.write('app', {
      Dockerfile: [
        `FROM ${ground.base}`,
        'RUN mkdir /d && echo one >/d/a && ln /d/a /d/b && ln -s a /d/c && mkfifo /d/pipe && chmod 4751 /d/a && mkdir /e && touch /e/old',
        'RUN rm -r /e && mkdir /e && echo new >/e/only && rm /d/c && head -c 5000000 /dev/zero >/large',
        'COPY --chown=7:8 file /copied',
      ].join('\n'),
      file: 'content\n',
    });
    scanner = await pushScanner();
    expected = treeLines(await extracted('expected', {}), { seconds: true });
    expect(expected).to.include.keys('copied', 'd/pipe', 'e/only');
    expect(Object.keys(expected)).not.to.include.members(['e/old']).and.not.include.members(['d/c']);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  async function build(
    opts: Readonly<Record<string, string>>,
    outputs: readonly string[],
    folder = app,
  ): Promise<void> {
    const finished = await daemon.buildctl(buildArgs({ folder, opts, outputs }));
    expect(finished.code, finished.stderr).to.equal(0);
  }

  /** Where the files of an archive lie. */
  async function extracted(name: string, opts: Readonly<Record<string, string>>): Promise<string> {
    const [archive, folder] = [ground.path(`${name}.tar`), ground.path(name)];
    await build(opts, [`type=tar,dest=${archive}`]);
    await mkdir(folder);
    await succeed('tar', ['-xpf', archive, '-C', folder]);
    return folder;
  }

  /** Answers what stands in for a scanner: it finds one file. */
  async function pushScanner(): Promise<string> {
    const name = `${ground.registry.address}/scanner:1`;
    const document = '{"spdxVersion":"SPDX-2.3","files":[{"fileName":"/copied"}]}';
    const statement = `{"predicateType":"https://spdx.dev/Document","predicate":${document}}`;
    const folder = await ground.write('scanner', {
      Dockerfile: `FROM ${ground.base}\nCOPY --chmod=755 scan /scan\nENTRYPOINT ["/scan"]\n`,
      scan: `#!/bin/sh\necho '${statement}' >$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json\n`,
    });
    await build({}, [`type=image,name=${name},push=true`], folder);
    return name;
  }

  /** The image as other tools take it: copied by skopeo, unpacked by umoci. */
  async function unpacked(source: string): Promise<Record<string, string>> {
    const [copy, plain, bundle] = ['copy', 'plain', 'bundle'].map((name) => ground.path('taken', name));
    try {
      await mkdir(ground.path('taken'));
      await succeed('skopeo', ['inspect', '--tls-verify=false', source]);
      // umoci knows no zstd, and skopeo undoes it.
      await succeed('skopeo', [
        'copy',
        '--src-tls-verify=false',
        '--dest-decompress',
        source,
        `dir:${plain}`,
      ]);
      await succeed('skopeo', ['copy', `dir:${plain}`, `oci:${copy}:1`]);
      await succeed('umoci', ['unpack', '--image', `${copy}:1`, bundle!]);
      return treeLines(`${bundle}/rootfs`, { seconds: true });
    } finally {
      await rm(ground.path('taken'), { recursive: true, force: true });
    }
  }

  for (const compression of compressions) {
    for (const types of ['true', 'false']) {
      it(`are read by other tools: ${compression}, oci-mediatypes=${types}`, async function () {
        this.timeout(300_000);
        for (const [stated, optsOf] of Object.entries(attestations)) {
          const tag = `${compression}-${types}-${stated}`;
          const name = `${ground.registry.address}/forms:${tag}`;
          const [layout, docker] = ['layout', 'docker'].map((kind) => ground.path(`${tag}-${kind}`));
          const form = `name=x:1,compression=${compression},force-compression=true,oci-mediatypes=${types}`;
          const outputs = [`type=image,${form.replace('x:1', name)},push=true`];
          const sources = [`docker://${name}`];
          // Tools find OCI's types in layouts, and Docker's in archives for docker load, which are one image.
          if (types === 'true' || stated !== 'none') {
            outputs.push(`type=oci,dest=${layout},tar=false,${form}`);
            sources.push(`oci:${layout}:1`);
          } else {
            outputs.push(`type=docker,dest=${docker},${form}`);
            sources.push(`docker-archive:${docker}`);
          }
          await build(optsOf(scanner), outputs);
          for (const source of sources) {
            expect(treeDifferences(expected, await unpacked(source)), source).to.deep.equal({});
          }
        }
      });
    }
  }

  for (const [stated, optsOf] of Object.entries(attestations)) {
    it(`are the same files in archives and folders: ${stated}`, async () => {
      const folder = ground.path(`files-${stated}`);
      await build(optsOf(scanner), [`type=local,dest=${folder}`]);
      const archive = await extracted(`archive-${stated}`, optsOf(scanner));
      // Files of the client's folder are the client's.
      const lines = (dir: string) => treeLines(dir, { seconds: true, owner: 'any' });
      const files = {
        none: [],
        min: ['provenance.json'],
        max: ['provenance.json'],
        sbom: ['sbom.spdx.json'],
      };
      const added = files[stated as keyof typeof files];
      const plain = lines(ground.path('expected'));
      for (const dir of [folder, archive]) {
        expect(Object.keys(treeDifferences(plain, lines(dir))), dir).to.deep.equal(added);
      }
    });
  }
});
