import { expect } from 'chai';
import { parseSourcePolicy } from '../../../cmd/buildctl/build/source-policy.js';

const parse = (policy: object) => parseSourcePolicy(JSON.stringify(policy), 'policy.json');

describe('buildctl build --source-policy-file', () => {
  it("reads BuildKit's JSON", () => {
    const { rules } = parse({
      version: 1,
      rules: [
        {
          action: 'CONVERT',
          selector: {
            identifier: 'https://example.com/*',
            match_type: 'WILDCARD',
            constraints: [{ key: 'http.checksum', value: 'sha256:.*', condition: 'MATCHES' }],
          },
          updates: { attrs: { 'http.checksum': 'sha256:1' } },
        },
        { action: 1, selector: { identifier: 'docker-image://x' } },
      ],
    });
    expect(rules).to.deep.equal([
      {
        action: 'convert',
        selector: {
          identifier: 'https://example.com/*',
          match: 'wildcard',
          constraints: [{ key: 'http.checksum', value: 'sha256:.*', condition: 'matches' }],
        },
        update: { identifier: '', attrs: { 'http.checksum': 'sha256:1' } },
      },
      { action: 'deny', selector: { identifier: 'docker-image://x', match: 'wildcard', constraints: [] } },
    ]);
    expect(parse({}).rules).to.deep.equal([]);
  });

  it('says what is wrong, and where', () => {
    const selector = { identifier: 'x' };
    const cases: readonly [object, string][] = [
      [
        { rules: [{ action: 'DENNY', selector }] },
        'rules.0.action: "DENNY" is none of ALLOW, DENY, CONVERT (did you mean "DENY"?)',
      ],
      [{ rules: [{ action: 'DENY' }] }, 'rules.0.selector: '],
      [{ rules: [{ selector: { ...selector, matchType: 'EXACT' } }] }, 'Unrecognized key: "matchType"'],
    ];
    for (const [policy, message] of cases) expect(() => parse(policy)).to.throw(message);
    expect(() => parseSourcePolicy('{', 'policy.json')).to.throw(
      'failed to unmarshal source-policy-file "policy.json"',
    );
  });
});
