import { expect } from 'chai';
import type { Attestation, GatewayRef } from '../../../core/contracts/frontend.js';
import { frontendAttestations } from '../../../core/provenance/frontend-attestations.js';

const { signal } = new AbortController();
const spdx = 'https://spdx.dev/Document';

/** A tree of text files in one folder. */
const treeOf = (files: Readonly<Record<string, string>>): GatewayRef =>
  ({
    readDir: async () => Object.keys(files).map((path) => ({ path })),
    readFile: async (path: string) => Buffer.from(files[path.replace(/^\//, '')] ?? ''),
  }) as unknown as GatewayRef;

const attestation = (part: Partial<Attestation>): Attestation => ({
  kind: 'in-toto',
  metadata: new Map(),
  ref: undefined,
  path: 'a.json',
  predicateType: spdx,
  subjects: [],
  ...part,
});

const statement = (predicate: object, predicateType = spdx): string =>
  JSON.stringify({ predicateType, subject: [{ name: 'f', digest: { sha256: 'ab' } }], predicate });

const messageOf = (list: readonly Attestation[]): Promise<string> =>
  frontendAttestations(list, signal).then(
    () => '',
    (error: Error) => error.message,
  );

describe('attestations of a frontend', () => {
  it('come apart from their bundles, the scan of the result first', async () => {
    const ref = treeOf({ 'extra.spdx.json': statement({ b: 1, a: 2 }), 'sbom.spdx.json': statement({}) });
    const metadata = new Map([['sbom-core', Buffer.from('sbom')]]);
    const [core, extra] = await frontendAttestations(
      [attestation({ kind: 'bundle', ref, path: '', metadata })],
      signal,
    );
    expect(core?.path).to.equal('sbom.spdx.json');
    expect(extra?.subjects).to.deep.equal([{ kind: 'raw', name: 'f', digests: ['sha256:ab'] }]);
    expect(Buffer.from(await extra!.predicate(signal)).toString()).to.equal('{"a":2,"b":1}');
  });

  it('must not speak of how the build went', async () => {
    const predicateType = 'https://slsa.dev/provenance/v1';
    const ref = treeOf({ 'p.json': statement({}, predicateType) });
    expect(await messageOf([attestation({ ref, predicateType })])).to.match(/may not set provenance/);
    const bundle = attestation({ kind: 'bundle', ref, path: '', predicateType: '' });
    expect(await messageOf([bundle])).to.match(/may not bundle provenance/);
  });

  it('are refused without content, and when a bundle holds something else', async () => {
    expect(await messageOf([attestation({})])).to.equal('attestation does not have available content');
    const ref = treeOf({ x: 'no json' });
    expect(await messageOf([attestation({ kind: 'bundle', ref, path: '' })])).to.match(
      /cannot decode in-toto statement/,
    );
    const other = treeOf({ x: statement({}, 'urn:other') });
    expect(await messageOf([attestation({ kind: 'bundle', ref: other, path: '' })])).to.match(
      /does not match required predicate type/,
    );
  });
});
