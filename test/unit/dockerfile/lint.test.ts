import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import {
  type CheckOptions,
  parseCheckOptions,
} from '../../../plugins/frontends/dockerfile/lint/check-options.js';
import { urlOf } from '../../../plugins/frontends/dockerfile/lint/rule.js';
import { rules } from '../../../plugins/frontends/dockerfile/lint/rules.js';
import { suggest } from '../../../plugins/frontends/dockerfile/lint/suggest.js';
import { type CaseOutcome, runCase } from './support/build-case.js';

const warningsOf = ({ gateway }: CaseOutcome): string[] => gateway.warnings.map(({ short }) => short);

/** `Rule: detail (line N)` as `N: detail`, of one rule. */
const ofRule = (outcome: CaseOutcome, rule: string): string[] =>
  warningsOf(outcome).flatMap((short) => {
    const [, name, detail, line] = /^(\w+): (.*) \(line (\d+)\)$/s.exec(short) ?? [];
    return name === rule ? [`${line}: ${detail}`] : [];
  });

const prefixed = (args: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(args).map(([key, value]) => [`build-arg:${key}`, value]));

describe('dockerfile build checks', () => {
  for (const { name, examples } of rules) {
    describe(name, () => {
      for (const { dockerfile, warnings, dockerignore, buildArgs } of examples) {
        const verdict = warnings.length > 0 ? 'warns of' : 'has nothing against';
        it(`${verdict} ${dockerfile.replaceAll('\n', ' / ')}`, async () => {
          const locals = { context: { '.dockerignore': dockerignore ?? '' } };
          const outcome = await runCase(dockerfile, { opts: prefixed(buildArgs), locals });
          expect(ofRule(outcome, name)).to.deep.equal(warnings);
          if (outcome.answer instanceof BuildError) throw outcome.answer;
        });
      }
    });
  }

  const bad = 'FROM alpine as Base\nCMD run me';
  const badRules = ['StageNameCasing', 'FromAsCasing', 'JSONArgsRecommended'];
  const namesOf = (outcome: CaseOutcome): string[] =>
    warningsOf(outcome).map((short) => short.split(':', 1)[0]!);

  it('tells the client what is wrong where, and where to read on', async () => {
    const { gateway } = await runCase('FROM alpine AS Base', {});
    const [load] = gateway.solved;
    const [warning] = gateway.warnings;
    expect(warning).to.deep.include({
      level: 1,
      short: "StageNameCasing: Stage name 'Base' should be lowercase (line 1)",
      detail: ['Stage names should be lowercase'],
      url: 'https://docs.docker.com/go/dockerfile/rule/stage-name-casing/',
      ranges: [{ start: { line: 1, character: 0 }, end: { line: 1, character: 0 } }],
    });
    expect(warning?.source).to.deep.include({ filename: 'Dockerfile', language: 'Dockerfile' });
    expect(load?.metadata.has(warning!.vertex)).to.equal(true);
  });

  it('checks once for several platforms', async () => {
    const opts = { platform: 'linux/amd64,linux/arm64' };
    expect(namesOf(await runCase(bad, { opts }))).to.deep.equal(badRules);
  });

  const skipped: readonly [how: string, directive: string, left: readonly string[]][] = [
    ['the rules that the file names', '# check=skip=StageNameCasing,FromAsCasing', ['JSONArgsRecommended']],
    ['all rules', '# check=skip=all', []],
    ['no rules of other names', '# check=skip=Nothing', badRules],
    ['what stands behind other directives', '# syntax=dockerfile.v0\n# escape=\\\n# check=skip=all', []],
  ];
  for (const [how, directive, left] of skipped) {
    it(`skips ${how}`, async () => {
      expect(namesOf(await runCase(`${directive}\n${bad}`, {}))).to.deep.equal(left);
    });
  }

  it('asks the client before the file', async () => {
    const opts = { 'build-arg:BUILDKIT_DOCKERFILE_CHECK': 'skip=JSONArgsRecommended' };
    const outcome = await runCase(`# check=skip=all\n${bad}`, { opts });
    expect(namesOf(outcome)).to.deep.equal(['StageNameCasing', 'FromAsCasing']);
  });

  it('fails the build if the file wants that', async () => {
    const { answer } = await runCase(`# check=error=true;skip=StageNameCasing\n${bad}`, {});
    expect(answer).to.have.property(
      'message',
      'lint violation found for rules: FromAsCasing, JSONArgsRecommended',
    );
    expect((await runCase(`# check=error=true;skip=all\n${bad}`, {})).answer).not.to.be.instanceOf(Error);
  });

  it('refuses options that it does not know', async () => {
    const { answer } = await runCase(`# check=skipp=all\n${bad}`, {});
    expect(answer).to.have.property('message', 'failed to parse check options: invalid check option "skipp"');
  });

  it('warns of stages that the target needs, and of others when it is only asked for warnings', async () => {
    const text = 'FROM alpine AS unused\nCMD run me\nFROM alpine\nRUN make';
    expect(namesOf(await runCase(text, {}))).to.deep.equal([]);
    const { answer } = await runCase(text, { opts: { requestid: 'frontend.lint' } });
    if (answer instanceof BuildError) throw answer;
    expect(String(answer.metadata.get('result.txt'))).to.contain('WARNING: JSONArgsRecommended');
  });

  it('names every rule once', () => {
    expect(new Set(rules.map(({ name }) => name)).size).to.equal(rules.length);
    const urls = rules.map(urlOf).filter((url) => url !== '');
    expect(new Set(urls).size).to.equal(urls.length);
  });
});

describe('dockerfile check options', () => {
  const none: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };
  const cases: readonly [text: string, expected: Partial<CheckOptions>][] = [
    ['', {}],
    [' skip = A , B ', { skip: new Set(['A', 'B']) }],
    ['skip=all;error=1', { skip: 'all', error: true }],
    ['experimental=all', { experimental: 'all' }],
    ['experimental=A;error=false;skip=B', { experimental: new Set(['A']), skip: new Set(['B']) }],
  ];
  for (const [text, expected] of cases) {
    it(`reads "${text}"`, () => {
      expect(parseCheckOptions(text, 'x')).to.deep.equal({ ...none, ...expected });
    });
  }

  const broken: readonly [text: string, message: string][] = [
    ['all', 'failed to parse x: invalid check option "all"'],
    ['warn=all', 'failed to parse x: invalid check option "warn"'],
    [
      'error=maybe',
      'failed to parse x: failed to parse check option "error=maybe": strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ];
  for (const [text, message] of broken) {
    it(`refuses "${text}"`, () => {
      expect(() => parseCheckOptions(text, 'x')).to.throw(BuildError, message);
    });
  }
});

describe('what a check suggests', () => {
  const cases: readonly [typed: string, known: readonly string[], meant: string | undefined][] = [
    ['foe', ['foo', 'fee'], 'foo'],
    ['PAHT', ['PATH'], 'PATH'],
    ['path', ['PATH'], undefined],
    ['foo', ['fo', 'foo'], undefined],
    ['abc', ['x', 'xyz'], undefined],
  ];
  for (const [typed, known, meant] of cases) {
    it(`is ${meant ?? 'nothing'} for ${typed} among ${known.join(', ')}`, () => {
      expect(suggest(typed, known)).to.equal(meant);
    });
  }
});
