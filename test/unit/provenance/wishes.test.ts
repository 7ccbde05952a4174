import { expect } from 'chai';
import { attestationWishes } from '../../../core/provenance/wishes.js';

describe('wishes for attestations', () => {
  it('are none by default, and when they are disabled', () => {
    const none = { provenance: undefined, sbom: undefined };
    expect(attestationWishes({ target: 'x' })).to.deep.equal(none);
    const off = { 'attest:provenance': 'disabled=true', 'attest:sbom': 'disabled=true' };
    expect(attestationWishes(off)).to.deep.equal(none);
  });

  it('may come as build arguments', () => {
    const { provenance } = attestationWishes({
      'build-arg:BUILDKIT_ATTEST_PROVENANCE': 'type=provenance,mode=full,version=v1',
    });
    expect(provenance).to.include({ mode: 'max', version: 'v1', filename: 'provenance.json' });
  });

  it('give the scanner its parameters', () => {
    const { sbom } = attestationWishes({ 'attest:sbom': 'generator=me/scan,"LIST=a,b"', 'no-cache': '' });
    expect(sbom).to.deep.equal({
      generator: 'docker.io/me/scan:latest',
      parameters: { LIST: 'a,b' },
      ignoreCache: true,
      resolveMode: undefined,
    });
  });

  const refused: readonly [text: string, opts: Record<string, string>][] = [
    ['unknown attestation type "sbomm" (did you mean "sbom"?)', { 'attest:sbomm': '' }],
    ['invalid mode "mx"', { 'attest:provenance': 'mode=mx' }],
    ['invalid provenance SLSA version: v2', { 'attest:provenance': 'version=v2' }],
    ['failed to parse reproducible flag "maybe"', { 'attest:provenance': 'reproducible=maybe' }],
    ['unknown option "moed"', { 'attest:provenance': 'moed=max' }],
    ['sbom generator cannot be empty', { 'attest:sbom': 'generator=' }],
  ];
  for (const [text, opts] of refused) {
    it(`are refused: ${text}`, () => {
      expect(() => attestationWishes(opts)).to.throw(text);
    });
  }
});
