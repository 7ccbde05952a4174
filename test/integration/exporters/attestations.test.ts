import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { type Finished, succeed } from '../support/processes.js';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform?: { readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Manifest {
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
}
interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string }[];
  readonly predicate: {
    readonly buildDefinition: object;
    readonly runDetails: {
      readonly builder: object;
      readonly metadata: { readonly buildkit_metadata: { readonly source: object; readonly layers: object } };
    };
  };
}

interface Saw {
  readonly predicate: { readonly saw?: string };
}

overWorkers('attestations and forms of images', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  let config: string;
  let app: string;
  before(async () => {
    ground = await Ground.open('attestations', worker);
    config = `[registry."${ground.registry.address}"]\nhttp = true\n`;
    daemon = await ground.daemon('daemon', { config });
    app = await ground.write('app', {
      Dockerfile: `FROM ${ground.base}\nARG WHO\nRUN echo "$WHO" >/made\nCOPY file /copied\n`,
      file: 'content\n',
    });
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  async function build(
    folder: string,
    output: string | readonly string[],
    opts: Readonly<Record<string, string>> = {},
    by = daemon,
  ): Promise<Finished> {
    const finished = await by.buildctl(buildArgs({ folder, opts, outputs: [output].flat() }));
    expect(finished.code, finished.stderr).to.equal(0);
    return finished;
  }

  /** Reads blobs of an archive. */
  async function open(tar: string): Promise<{ root: Manifest; read: <T>(digest: string) => Promise<T> }> {
    const file = async (name: string): Promise<string> => (await succeed('tar', ['-xOf', tar, name])).stdout;
    const read = async <T>(digest: string): Promise<T> =>
      JSON.parse(await file(`blobs/${digest.replace(':', '/')}`)) as T;
    const { manifests } = JSON.parse(await file('index.json')) as Manifest;
    return { root: await read<Manifest>(manifests[0]!.digest), read };
  }

  it('stand in the index beside the image, and speak of it', async () => {
    const tar = ground.path('max.tar');
    const opts = { 'attest:provenance': 'mode=max,version=v1,builder-id=urn:me', 'build-arg:WHO': 'you' };
    await build(app, `type=oci,dest=${tar},name=a/b:1`, opts);
    const { root, read } = await open(tar);
    const [image, attestation] = root.manifests;
    expect(attestation?.platform?.os).to.equal('unknown');
    expect(attestation?.annotations).to.deep.equal({
      'vnd.docker.reference.digest': image?.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    });
    const [layer] = (await read<Manifest>(attestation!.digest)).layers;
    expect(layer?.mediaType).to.equal('application/vnd.in-toto+json');
    const statement = await read<Statement>(layer!.digest);
    expect(statement.predicateType).to.equal('https://slsa.dev/provenance/v1');
    expect(statement.subject[0]?.name).to.match(/^pkg:docker\/a\/b@1\?platform=linux%2F/);
    const { buildDefinition, runDetails } = statement.predicate;
    const said = JSON.stringify(buildDefinition);
    expect(said).to.contain('"build-arg:WHO":"you"').and.to.contain('"local://context"');
    expect(said).to.contain(`pkg:docker/${ground.base.split('/', 1)[0]!.replace(':', '%3A')}/`);
    expect(runDetails.builder).to.deep.equal({ id: 'urn:me' });
    const { source, layers } = runDetails.metadata.buildkit_metadata;
    expect(Object.keys(layers)).to.include('step0:0');
    expect(JSON.stringify(source)).to.contain('"filename":"Dockerfile"');
  });

  it('are left out when they are wanted inline only, unless everything is', async () => {
    const opts = { 'attest:provenance': 'mode=min,inline-only=true' };
    const [plain, inline] = [ground.path('plain.tar'), ground.path('inline.tar')];
    await build(app, `type=oci,dest=${plain}`, opts);
    expect((await open(plain)).root).not.to.have.property('manifests');
    await build(app, `type=oci,dest=${inline},attestation-inline=true`, opts);
    expect((await open(inline)).root.manifests).to.have.length(2);
  });

  it('name their image when they are artifacts', async () => {
    const tar = ground.path('artifact.tar');
    await build(app, `type=oci,dest=${tar},oci-artifact=true`, { 'attest:provenance': 'mode=min' });
    const { root, read } = await open(tar);
    const manifest = await read<Manifest>(root.manifests[1]!.digest);
    expect(manifest.artifactType).to.equal('application/vnd.docker.attestation.manifest.v1+json');
    expect(manifest.subject?.digest).to.equal(root.manifests[0]!.digest);
  });

  it('become files beside the files of a result', async () => {
    const out = ground.path('out');
    const opts = { 'attest:provenance': 'mode=min,filename=how.json' };
    await build(app, `type=local,dest=${out},attestation-prefix=my-`, opts);
    const statement = JSON.parse(await readFile(`${out}/my-how.json`, 'utf8')) as Statement;
    expect(statement.subject.map(({ name }) => name)).to.include.members(['copied', 'made']);
  });

  async function pushScanner(tag: string, script: readonly string[]): Promise<string> {
    const scanner = `${ground.registry.address}/scanner:${tag}`;
    const folder = await ground.write(`scanner-${tag}`, {
      Dockerfile: `FROM ${ground.base}\nCOPY --chmod=755 scan /scan\nENTRYPOINT ["/scan"]\n`,
      scan: `#!/bin/sh\n${script.join('\n')}\n`,
    });
    await build(folder, `type=image,name=${scanner},push=true`);
    return scanner;
  }

  it('are made by scanners, which see the result', async () => {
    const scanner = await pushScanner('1', [
      'printf \'{"predicateType":"https://spdx.dev/Document","subject":[],"predicate":{"level":"%s","made":"%s"}}\' \\',
      '  "$BUILDKIT_SCAN_LEVEL" "$(cat $BUILDKIT_SCAN_SOURCE/made)" >$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json',
    ]);
    const out = ground.path('scanned');
    const opts = { 'attest:sbom': `generator=${scanner},LEVEL=3`, 'build-arg:WHO': 'us' };
    await build(app, `type=local,dest=${out}`, opts);
    const { predicate } = JSON.parse(await readFile(`${out}/sbom.spdx.json`, 'utf8')) as Statement;
    expect(predicate).to.deep.equal({ level: '3', made: 'us' });
  });

  it('are made of stages and the context, where arguments say so', async () => {
    const scanner = await pushScanner('2', [
      'for tree in $BUILDKIT_SCAN_SOURCE ${BUILDKIT_SCAN_SOURCE_EXTRAS:+$BUILDKIT_SCAN_SOURCE_EXTRAS/*}; do',
      '  printf \'{"predicateType":"https://spdx.dev/Document","subject":[],"predicate":{"saw":"%s"}}\' \\',
      '    "$(ls $tree | grep only- | tr "\\n" " ")" >$BUILDKIT_SCAN_DESTINATION/${tree##*/}.spdx.json',
      'done',
    ]);
    const stages = await ground.write('stages', {
      Dockerfile: [
        'ARG BUILDKIT_SBOM_SCAN_STAGE=true',
        'ARG BUILDKIT_SBOM_SCAN_CONTEXT=true',
        `FROM ${ground.base} AS deps`,
        'RUN touch /only-deps /a',
        `FROM ${ground.base}`,
        'COPY --from=deps /a /',
        'COPY only-context /only-result',
      ].join('\n'),
      'only-context': 'content',
    });
    const opts = { 'attest:sbom': `generator=${scanner}`, 'attest:provenance': 'mode=max,version=v1' };
    const tar = ground.path('scanned-all.tar');
    const out = ground.path('scanned-all');
    await build(stages, [`type=oci,dest=${tar},name=a/b:1`, `type=local,dest=${out}`], opts);
    const { root, read } = await open(tar);
    const { layers } = await read<Manifest>(root.manifests[1]!.digest);
    const statements = await Promise.all(layers.map(({ digest }) => read<Statement & Saw>(digest)));
    expect(statements.map(({ predicate }) => predicate.saw)).to.deep.equal([
      'only-result ',
      'only-context ',
      'only-deps ',
      undefined,
    ]);
    for (const { subject } of statements) expect(subject[0]?.name).to.match(/^pkg:docker\/a\/b@1/);
    expect(JSON.stringify(statements[3])).to.contain('scanner');
    for (const [name, saw] of [
      ['sbom', 'only-result '],
      ['sbom-context', 'only-context '],
      ['sbom-deps', 'only-deps '],
    ]) {
      const { predicate } = JSON.parse(await readFile(`${out}/${name}.spdx.json`, 'utf8')) as Saw;
      expect(predicate.saw, name).to.equal(saw);
    }
  });

  it('leave an image the same wherever and whenever it is built with SOURCE_DATE_EPOCH', async () => {
    await using other = await ground.daemon('other', { config });
    const digests = async (by: DaemonProcess, compression: string): Promise<string> => {
      const tar = ground.path(`${by === other}-${compression}.tar`);
      const form = `compression=${compression},force-compression=true,rewrite-timestamp=true`;
      await build(app, `type=oci,dest=${tar},${form}`, { 'build-arg:SOURCE_DATE_EPOCH': '1700000000' }, by);
      return (await succeed('sha256sum', [tar])).stdout.split(' ', 1)[0]!;
    };
    for (const compression of ['gzip', 'zstd', 'estargz', 'uncompressed']) {
      expect(await digests(other, compression), compression).to.equal(await digests(daemon, compression));
    }
  });
});
