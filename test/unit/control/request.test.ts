import { expect } from 'chai';
import { planSolve } from '../../../core/control/request.js';
import { control, type Init } from '../../../proto/index.js';

const plan = (init: Init<control.SolveRequest>, allowed: string[] = []) =>
  planSolve(
    control.SolveRequest.decode(control.SolveRequest.encode({ Ref: 'r', ...init }).finish()),
    allowed,
  );

describe('solve request', () => {
  it('takes the deprecated exporter only when there is no other', () => {
    const deprecated = { ExporterDeprecated: 'local', ExporterAttrsDeprecated: { a: '1' } };
    expect(plan(deprecated).exporters).to.deep.equal([{ type: 'local', attrs: { a: '1' } }]);
    expect(plan({ ...deprecated, Exporters: [{ Type: 'oci', Attrs: {} }] }).exporters).to.deep.equal([
      { type: 'oci', attrs: {} },
    ]);
  });

  it('takes caches in the form of every generation', () => {
    const { caches } = plan({
      Cache: {
        Exports: [{ Type: 'local', Attrs: { dest: 'd' } }],
        ExportRefDeprecated: 'a/b',
        ExportAttrsDeprecated: { mode: 'max' },
        ImportRefsDeprecated: ['a/b'],
      },
    });
    expect(caches).to.deep.equal({
      exports: [
        { type: 'local', attrs: { dest: 'd' } },
        { type: 'registry', attrs: { mode: 'max', ref: 'a/b' } },
      ],
      imports: [{ type: 'registry', attrs: { ref: 'a/b' } }],
    });
  });

  it('hands SOURCE_DATE_EPOCH to every exporter that has none of its own', () => {
    const { exporters } = plan({
      FrontendAttrs: { 'build-arg:SOURCE_DATE_EPOCH': '5' },
      Exporters: [
        { Type: 'oci', Attrs: {} },
        { Type: 'tar', Attrs: { 'source-date-epoch': '7' } },
      ],
    });
    expect(exporters.map(({ attrs }) => attrs['source-date-epoch'])).to.deep.equal(['5', '7']);
  });

  it('tells a frontend, a definition and a client over LLBBridge apart', () => {
    expect(plan({ Frontend: 'dockerfile.v0' }).work.kind).to.equal('frontend');
    expect(plan({ Definition: { def: [] } }).work.kind).to.equal('definition');
    expect(plan({}).work.kind).to.equal('gateway');
  });

  it('grants entitlements only as far as the daemon allows them', () => {
    expect([...plan({ Entitlements: ['network.host'] }, ['network.host']).entitlements]).to.deep.equal([
      'network.host',
    ]);
    expect(() => plan({ Entitlements: ['network.host'] })).to.throw(
      'granting entitlement network.host is not allowed by build daemon configuration',
    );
    expect(() => plan({ Entitlements: ['network.hst'] }, ['network.host'])).to.throw(
      'unknown entitlement network.hst (did you mean "network.host"?)',
    );
  });

  it('takes source policies over, and the session that decides', () => {
    const rules = [{ action: 1, selector: { identifier: 'docker-image://*', matchType: 1 } }] as const;
    expect(plan({ SourcePolicy: { rules }, SourcePolicySession: 's' }).policies).to.deep.equal({
      policy: {
        rules: [
          {
            action: 'deny',
            selector: { identifier: 'docker-image://*', match: 'exact', constraints: [] },
          },
        ],
      },
      sessionId: 's',
    });
    expect(() => plan({ SourcePolicy: { rules: [{}] } })).to.throw('invalid nil selector in policy');
  });

  it('reads which attestations are wanted', () => {
    const attrs = { 'attest:provenance': 'mode=min,inline-only=true', 'attest:sbom': 'disabled=true' };
    const { provenance, sbom } = plan({ FrontendAttrs: attrs }).attestations;
    expect(provenance).to.include({ mode: 'min', version: 'v0.2', inlineOnly: true });
    expect(sbom).to.equal(undefined);
  });
});
