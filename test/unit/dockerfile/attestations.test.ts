import { expect } from 'chai';
import { parseAttestations } from '../../../plugins/frontends/dockerfile/attestations.js';

describe('dockerfile: attestations', () => {
  it('are none without a wish', () => {
    expect(parseAttestations({})).to.deep.equal({ provenance: undefined, sbom: undefined });
  });

  it('are wished for by options and by build arguments', () => {
    const wished = parseAttestations({
      'attest:provenance': 'mode=max',
      'build-arg:BUILDKIT_ATTEST_SBOM': '',
    });
    expect(wished).to.deep.equal({
      provenance: { version: 'v0.2', mode: 'max' },
      sbom: { generator: 'docker.io/docker/buildkit-syft-scanner:stable-1', parameters: {} },
    });
  });

  it('take a scanner with parameters, and can be switched off', () => {
    expect(parseAttestations({ 'attest:sbom': 'generator=scan/it,LEVEL=2' }).sbom).to.deep.equal({
      generator: 'docker.io/scan/it:latest',
      parameters: { LEVEL: '2' },
    });
    expect(parseAttestations({ 'attest:sbom': 'disabled=true' }).sbom).to.equal(undefined);
  });

  it('are of known kinds', () => {
    expect(() => parseAttestations({ 'attest:sbomm': '' })).to.throw(
      'unknown attestation type "sbomm" (did you mean sbom?)',
    );
    expect(() => parseAttestations({ 'attest:sbom': 'generator=A b' })).to.throw(
      'failed to parse sbom scanner A b',
    );
  });
});
