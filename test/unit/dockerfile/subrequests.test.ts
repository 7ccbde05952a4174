import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';
import { excerpt } from '../../../plugins/frontends/dockerfile/subrequests/excerpt.js';
import { indentJson } from '../../../plugins/frontends/dockerfile/subrequests/indent-json.js';
import { runCase } from './support/build-case.js';

const dockerfile = `# BASE what everything starts from
ARG BASE=alpine
ARG UNUSED=1
# tools has the compilers
FROM $BASE AS tools
RUN --mount=type=secret,id=token,required=true --mount=type=ssh true
FROM scratch AS other
ARG NOT_NEEDED
# app is what we ship
FROM scratch AS app
# VERSION of the app
ARG VERSION=\${BASE}-1
COPY --from=tools /a /b
`;

async function ask(
  requestid: string,
  text = dockerfile,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly json: never; readonly metadata: Readonly<Record<string, string>> }> {
  const { answer, gateway } = await runCase(text, { opts: { requestid, ...more } });
  if (answer instanceof BuildError) throw answer;
  expect(answer.ref).to.equal(undefined);
  expect(gateway.solved.length, 'nothing is built').to.be.at.most(2);
  const metadata = Object.fromEntries([...answer.metadata].map(([key, value]) => [key, String(value)]));
  return { json: JSON.parse(metadata['result.json']!) as never, metadata };
}

const at = (line: number): object => ({ ranges: [{ start: { line }, end: { line } }] });

describe('dockerfile subrequests', () => {
  it('lists the questions that can be asked', async () => {
    const { metadata, json } = await ask('frontend.subrequests.describe');
    expect(metadata['result.txt']).to.equal(
      [
        'NAME                 VERSION DESCRIPTION',
        'outline              1.0.0   List all parameters current build target supports',
        'targets              1.0.0   List all targets current build supports',
        'subrequests.describe 1.0.0   List available subrequest types',
        '',
      ].join('\n'),
    );
    expect(metadata.version).to.equal('1.0.0');
    expect(json).to.have.nested.property('[0].opts[0].name', 'target');
    expect(json).to.have.nested.property('[1].opts', null);
  });

  it('lists the targets', async () => {
    const { metadata, json } = await ask('frontend.targets');
    expect(metadata['result.txt']).to.equal(
      'TARGET        DESCRIPTION\ntools         has the compilers\nother         \napp (default) is what we ship\n',
    );
    expect(json).to.have.deep.property('targets', [
      { name: 'tools', description: 'has the compilers', base: '$BASE', location: at(5) },
      { name: 'other', base: 'scratch', location: at(7) },
      { name: 'app', default: true, description: 'is what we ship', base: 'scratch', location: at(10) },
    ]);
  });

  it('tells what a target and the stages that it needs take', async () => {
    const { metadata, json } = await ask('frontend.outline', dockerfile, { 'build-arg:BASE': 'debian' });
    expect(json).to.deep.include({
      name: 'app',
      description: 'is what we ship',
      args: [
        { name: 'BASE', description: 'what everything starts from', value: 'debian', location: at(2) },
        { name: 'VERSION', description: 'of the app', value: '-1', location: at(12) },
      ],
      secrets: [{ name: 'token', required: true, location: at(6) }],
      ssh: [{ name: 'default', location: at(6) }],
    });
    expect(metadata['result.txt']).to.equal(
      [
        'TARGET:      app',
        'DESCRIPTION: is what we ship',
        '',
        'BUILD ARG   VALUE    DESCRIPTION',
        'BASE        debian   what everything starts from',
        'VERSION     -1       of the app',
        '',
        'SECRET   REQUIRED',
        'token    true',
        '',
        'SSH       REQUIRED',
        'default   ',
        '',
        '',
      ].join('\n'),
    );
  });

  it('tells what another target takes', async () => {
    const { json } = await ask('frontend.outline', dockerfile, { target: 'other' });
    expect(json).to.have.deep.property('args', [{ name: 'NOT_NEEDED', location: at(8) }]);
    expect(json).not.to.have.property('secrets');
  });

  it('counts the arguments that an argument is made of', async () => {
    const { json } = await ask('frontend.outline', 'ARG A=1\nARG B=$A\nARG C=$B\nARG D\nFROM alpine:$C');
    expect((json as { args: { name: string }[] }).args.map(({ name }) => name)).to.deep.equal([
      'A',
      'B',
      'C',
    ]);
  });

  it('answers with warnings, their lines and an exit status', async () => {
    const { metadata, json } = await ask('frontend.lint', 'FROM alpine AS Base\nRUN make\n');
    expect(json).to.have.deep.property('warnings', [
      {
        ruleName: 'StageNameCasing',
        description: 'Stage names should be lowercase',
        url: 'https://docs.docker.com/go/dockerfile/rule/stage-name-casing/',
        detail: "Stage name 'Base' should be lowercase",
        location: at(1),
      },
    ]);
    expect(metadata['result.txt']).to.equal(
      [
        '',
        'WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/',
        "Stage name 'Base' should be lowercase",
        'Dockerfile:1',
        '--------------------',
        '   1 | >>> FROM alpine AS Base',
        '   2 |     RUN make',
        '   3 |     ',
        '--------------------',
        '',
      ].join('\n'),
    );
    expect(metadata['result.statuscode']).to.equal('1');
  });

  it('answers with the error of a build that would fail', async () => {
    const { metadata, json } = await ask('frontend.lint', 'FROM alpine\nRUNN make');
    expect(json).to.deep.include({
      warnings: null,
      buildError: {
        message: 'dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)',
        location: at(2),
      },
    });
    expect(metadata['result.statuscode']).to.equal('1');
    expect((await ask('frontend.lint', 'FROM alpine')).metadata['result.statuscode']).to.equal('0');
  });

  it('answers with bad options of checks, which other questions do not ask for', async () => {
    const { json } = await ask('frontend.lint', '# check=moon=1\nFROM alpine');
    expect(json).to.have.nested.property(
      'buildError.message',
      'failed to parse check options: invalid check option "moon"',
    );
    await ask('frontend.targets', '# check=moon=1\nFROM alpine');
  });

  it('sends no warnings when warnings are the answer', async () => {
    const { gateway } = await runCase('FROM alpine AS Base', { opts: { requestid: 'frontend.lint' } });
    expect(gateway.warnings).to.deep.equal([]);
  });

  it('answers with the steps', async () => {
    const { json, metadata } = await ask('frontend.convertllb', 'FROM alpine\nRUN make');
    const ops = Object.values((json as { def: object }).def);
    expect(ops.map((op) => Object.keys(op)[0]).sort()).to.deep.equal(['inputs', 'inputs', 'source']);
    expect(ops.find((op) => op.exec)).to.have.nested.property('exec.meta.args[2]', 'make');
    expect(Object.keys((json as { metadata: object }).metadata).length).to.equal(3);
    expect(metadata.version).to.equal('0.1.0');
    expect(metadata).not.to.have.property('result.txt');
  });
});

describe('indented JSON', () => {
  it('leaves strings and empty lists as they are', () => {
    const text = '{"a":[],"b":{"c{}":"x,\\"y\\":[1]"},"d":[1,-2.5,null],"e":{}}';
    expect(indentJson(text)).to.equal(JSON.stringify(JSON.parse(text), null, 2));
  });
});

describe('an excerpt', () => {
  const lines = ['a', 'b', 'c', 'd', 'e', 'f'].join('\n');
  const shown = (first: number, last: number): string[] =>
    excerpt('F', lines, [{ start: { line: first, character: 0 }, end: { line: last, character: 0 } }])
      .split('\n')
      .slice(2, -2)
      .map((line) => line.slice(3));
  it('has lines on both sides', () => {
    expect(shown(3, 3)).to.deep.equal(['1 |     a', '2 |     b', '3 | >>> c', '4 |     d', '5 |     e']);
  });
  it('has fewer of them around several lines, and stays in the file', () => {
    expect(shown(1, 2)).to.deep.equal(['1 | >>> a', '2 | >>> b', '3 |     c']);
    expect(
      excerpt('F', lines, [{ start: { line: 9, character: 0 }, end: { line: 9, character: 0 } }]),
    ).to.equal('');
  });
});
