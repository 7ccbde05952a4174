import { expect } from 'chai';
import type { AttrConstraint, SourcePolicy, SourceRule } from '../../../../core/contracts/source-policy.js';
import { PolicyEngine } from '../../../../core/llb/policy/policy-engine.js';

type Match = SourceRule['selector']['match'];

const rule = (
  action: SourceRule['action'],
  identifier: string,
  match: Match = 'wildcard',
  constraints: readonly AttrConstraint[] = [],
): SourceRule => ({ action, selector: { identifier, match, constraints } });

const convert = (
  from: string,
  to: string,
  match: Match = 'wildcard',
  attrs: Record<string, string> = {},
): SourceRule => ({ ...rule('convert', from, match), update: { identifier: to, attrs } });

const policy = (...rules: SourceRule[]): SourcePolicy => ({ rules });

async function evaluate(identifier: string, policies: readonly SourcePolicy[], attrs = {}) {
  const engine = await PolicyEngine.compile(policies);
  return engine.evaluate({ identifier, attrs });
}
const failure = async (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => expect.fail('it succeeded'),
    (error) => error,
  );

const busybox = 'docker-image://docker.io/library/busybox:latest';
const alpine = 'docker-image://docker.io/library/alpine:latest';

describe('source policies', () => {
  it('leave alone what no rule matches', async () => {
    const engine = await PolicyEngine.compile([policy(rule('deny', alpine))]);
    const source = { identifier: busybox, attrs: {} };
    expect(engine.evaluate(source)).to.equal(source);
  });

  it("deny, in BuildKit's words", async () => {
    const error = await failure(evaluate(busybox, [policy(rule('deny', 'docker-image://*'))]));
    expect(error).to.include({
      code: 'policy.denied',
      message: `source "${busybox}" denied by policy: source denied by policy`,
    });
  });

  it('let the last rule that allows or denies decide', async () => {
    const all = rule('deny', '*');
    const one = rule('allow', busybox);
    expect((await evaluate(busybox, [policy(all, one)])).identifier).to.equal(busybox);
    expect((await failure(evaluate(busybox, [policy(one, all)]))).code).to.equal('policy.denied');
    // What another policy allows, this one still denies.
    expect((await failure(evaluate(busybox, [policy(one), policy(all)]))).code).to.equal('policy.denied');
  });

  describe('match', () => {
    const denied = async (identifier: string, denying: SourceRule, attrs = {}): Promise<boolean> =>
      evaluate(identifier, [policy(denying)], attrs).then(
        () => false,
        () => true,
      );

    it('whole identifiers, wildcards and expressions', async () => {
      const image = 'docker-image://docker.io/library/';
      expect(await denied(busybox, rule('deny', busybox, 'exact'))).to.equal(true);
      expect(await denied(busybox, rule('deny', `${image}*`, 'exact'))).to.equal(false);
      expect(await denied(busybox, rule('deny', `${image}*:latest`))).to.equal(true);
      expect(await denied(busybox, rule('deny', `${image}*:1`))).to.equal(false);
      expect(await denied('docker-image://dockerXio/library/a', rule('deny', `${image}*`))).to.equal(false);
      expect(await denied(busybox, rule('deny', 'library/b[uvw]sy', 'regex'))).to.equal(true);
      expect(
        await denied(busybox, rule('deny', '^docker-image://(?i)DOCKER[[:punct:]]IO/', 'regex')),
      ).to.equal(true);
      expect(await denied(busybox, rule('deny', '^library', 'regex'))).to.equal(false);
    });

    it('attributes: equal, not equal, by expression', async () => {
      const when = (condition: AttrConstraint['condition'], value: string) =>
        rule('deny', '*', 'wildcard', [{ key: 'http.checksum', value, condition }]);
      const attrs = { 'http.checksum': 'sha256:abc' };
      expect(await denied('https://x', when('equal', 'sha256:abc'), attrs)).to.equal(true);
      expect(await denied('https://x', when('equal', 'sha256:abc'))).to.equal(false);
      expect(await denied('https://x', when('notequal', 'sha256:abc'))).to.equal(true);
      expect(await denied('https://x', when('matches', '^sha256:'), attrs)).to.equal(true);
      expect(await denied('https://x', when('matches', '^sha512:'), attrs)).to.equal(false);
    });

    it('refuse expressions that are none', async () => {
      for (const [identifier, match] of [
        ['a(b', 'regex'],
        ['a**b', 'wildcard'],
      ] as const) {
        const error = await failure(evaluate('x://y', [policy(rule('deny', identifier, match))]));
        expect(error.code).to.equal('policy.invalid');
      }
    });
  });

  describe('convert', () => {
    const cases: readonly [what: string, rule: SourceRule, from: string, to: string][] = [
      ['a whole identifier', convert(busybox, alpine), busybox, alpine],
      ['a whole identifier, exactly', convert(busybox, alpine, 'exact'), busybox, alpine],
      [
        'with what stars stood for',
        convert('docker-image://docker.io/library/*:*', 'docker-image://mirror/${1}:${2}-slim'),
        busybox,
        'docker-image://mirror/busybox:latest-slim',
      ],
      [
        'with groups of an expression',
        convert('^https://(?P<host>a[.]b)/', 'https://mirror/$host/$2', 'regex'),
        'https://a.b/c',
        'https://mirror/a.b/c',
      ],
      ['every match of an expression', convert('x', 'yy', 'regex'), 'local://axbx', 'local://ayybyy'],
      ['dollars', convert('https://a/*', 'https://b/$$1$'), 'https://a/c', 'https://b/$1$'],
    ];
    for (const [what, one, from, to] of cases) {
      it(what, async () => {
        expect((await evaluate(from, [policy(one)])).identifier).to.equal(to);
      });
    }

    it('sets attributes and keeps the others', async () => {
      const pin = convert('https://a/*', '', 'wildcard', { 'http.checksum': 'sha256:1' });
      expect(await evaluate('https://a/b', [policy(pin)], { 'http.perm': '1' })).to.deep.equal({
        identifier: 'https://a/*',
        attrs: { 'http.perm': '1', 'http.checksum': 'sha256:1' },
      });
      const exact = convert('https://a/b', '', 'exact', { 'http.checksum': 'sha256:1' });
      expect(await evaluate('https://a/b', [policy(exact)])).to.deep.equal({
        identifier: 'https://a/b',
        attrs: { 'http.checksum': 'sha256:1' },
      });
    });

    it('goes on with what a source has become', async () => {
      const rules = [convert('a://*', 'b://$1'), convert('b://*', 'c://$1')];
      expect((await evaluate('a://x', [policy(...rules)])).identifier).to.equal('c://x');
      const denied = await failure(evaluate('a://x', [policy(...rules), policy(rule('deny', 'c://*'))]));
      expect(denied.message).to.contain('source "c://x" denied by policy');
    });

    it('notices loops', async () => {
      const rules = [convert('a://x', 'b://x'), convert('b://x', 'a://x')];
      const error = await failure(evaluate('a://x', [policy(...rules)]));
      expect(error.message).to.equal('too many mutations on a single source: too many operations');
    });

    it('wants a destination', async () => {
      const error = await failure(evaluate('a://x', [policy(rule('convert', 'a://*'))]));
      expect(error.message).to.contain('missing destination for convert rule');
    });
  });
});
