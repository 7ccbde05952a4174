import { expect } from 'chai';
import type { ResultAttestation } from '../../../core/contracts/exporter.js';
import type { RefLayers } from '../../../core/contracts/refs.js';
import { sha256 } from '../../../core/util/digest.js';
import { withLayers } from '../../../plugins/exporters/shared/image/sbom-layers.js';

const { signal } = new AbortController();

/** Layers by what their tars list; reading one is noted. */
function layersOf(...tars: readonly (readonly string[])[]): RefLayers & { readonly read: number[] } {
  const read: number[] = [];
  return {
    read,
    layers: tars.map((_, at) => ({
      descriptor: { mediaType: 'layer', digest: sha256(`layer ${at}`), size: 1 },
      diffId: sha256(`tar ${at}`),
      createdAt: 0,
      description: '',
    })),
    provider: { read: async function* () {} },
    names: async (at) => {
      read.push(at);
      return tars[at]!;
    },
  };
}

const scan = (predicate: unknown, more: Partial<ResultAttestation> = {}): ResultAttestation => ({
  path: '/sbom.spdx.json',
  predicateType: 'https://spdx.dev/Document',
  subjects: [],
  metadata: new Map([['sbom-core', Buffer.from('sbom')]]),
  predicate: async () => Buffer.from(typeof predicate === 'string' ? predicate : JSON.stringify(predicate)),
  ...more,
});

async function files(attestation: ResultAttestation): Promise<readonly (readonly unknown[])[]> {
  const json = JSON.parse(Buffer.from(await attestation.predicate(signal)).toString());
  return json.files.map((file: { fileName: string; comment?: string }) => [file.fileName, file.comment]);
}
const comment = (at: number): string => `layerID: ${sha256(`layer ${at}`)}`;

describe('layers in a bill of materials', () => {
  const document = (...names: readonly string[]) => ({
    spdxVersion: 'SPDX-2.3',
    files: names.map((fileName) => ({ fileName })),
  });

  it('are those that brought a file the last time, deleted or not', async () => {
    const layers = layersOf(['a', 'b', 'c'], ['dir/', 'dir/a', 'b'], ['.wh.c']);
    const found = await files(withLayers(scan(document('/a', 'b', 'c', 'dir/a', 'unknown')), layers));
    expect(found).to.deep.equal([
      ['/a', comment(0)],
      ['b', comment(1)],
      ['c', comment(0)],
      ['dir/a', comment(1)],
      ['unknown', undefined],
    ]);
  });

  it('are read from the top, and only as far as files lead', async () => {
    const layers = layersOf(['a'], ['b'], ['c']);
    await files(withLayers(scan(document('c', 'b')), layers));
    expect(layers.read).to.deep.equal([2, 1]);
  });

  it('leave comments of the scanner alone, and everything else of its document', async () => {
    const given = {
      spdxVersion: 'SPDX-2.3',
      creationInfo: { creators: ['Tool: scanner'], created: 'today' },
      files: [{ fileName: 'a', comment: 'mine', SPDXID: 'x' }],
      packages: [{ name: 'p' }],
    };
    const { predicate } = withLayers(scan(given), layersOf(['a']));
    expect(JSON.parse(Buffer.from(await predicate(signal)).toString())).to.deep.equal({
      ...given,
      creationInfo: { creators: ['Tool: scanner', 'Tool: buildkit-ts'], created: 'today' },
    });
  });

  it('are for the scan of the result alone', async () => {
    const layers = layersOf(['a']);
    const others = [
      scan(document('a'), { path: '/sbom-stage.spdx.json' }),
      scan(document('a'), { metadata: new Map() }),
      scan(document('a'), { predicateType: 'https://example.com/other' }),
    ];
    for (const other of others) expect(withLayers(other, layers)).to.equal(other);
    for (const text of ['no json', '[1]', '{"level":3}']) {
      const data = await withLayers(scan(text), layers).predicate(signal);
      expect(Buffer.from(data).toString()).to.equal(text);
    }
    expect(layers.read).to.deep.equal([]);
  });
});
