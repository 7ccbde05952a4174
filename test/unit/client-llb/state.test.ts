import { expect } from 'chai';
import {
  copy,
  diff,
  encodeDefinition,
  fromDefinition,
  image,
  local,
  marshal,
  merge,
  mkfile,
  type SourceMap,
  scratch,
  splitShell,
} from '../../../client/llb/index.js';
import type { LlbDefinition } from '../../../core/contracts/frontend.js';
import { sha256 } from '../../../core/util/digest.js';
import { definitionFromProto } from '../../../proto/definition.js';
import { pb } from '../../../proto/index.js';
import { graphs } from './graphs.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const hexes = ({ def }: LlbDefinition): string[] => def.map((op) => Buffer.from(op).toString('hex'));

describe('llb states', () => {
  it('never change', () => {
    const base = image('busybox');
    base.env('A', '1').dir('/x').user('u');
    expect(base.settings).to.deep.include({ dir: '/', user: '' });
    expect([...base.settings.env]).to.deep.equal([]);
  });

  it('keep a step once, however often it is used', () => {
    const made = image('busybox')
      .run({ args: ['make'] })
      .root();
    const both = scratch().file(copy(made, '/a', '/a').copy(made, '/b', '/b'));
    expect(marshal(merge([both, made, both])).def).to.have.length(5);
  });

  it('count the same step made twice as one', () => {
    const make = () =>
      image('busybox')
        .run({ args: ['make'] })
        .root();
    expect(marshal(merge([make(), make()])).def).to.have.length(4);
  });

  it('are written differently for daemons that set no PATH', () => {
    const run = image('busybox')
      .run({ args: ['x'] })
      .root();
    const env = (caps: ReadonlySet<string> | undefined): string[] | undefined =>
      pb.Op.decode(marshal(run, { caps }).def[1]!).exec?.meta?.env;
    expect(env(undefined)).to.deep.equal([]);
    expect(env(new Set(['exec.meta.setsdefaultpath']))).to.deep.equal([]);
    expect(env(new Set())).to.deep.equal([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  it('can be written for several platforms', () => {
    const run = image('busybox')
      .run({ args: ['x'] })
      .root();
    const arm = marshal(run, { platform: { os: 'linux', architecture: 'arm64' } });
    expect(arm.def.slice(0, 2).map((op) => pb.Op.decode(op).platform?.Architecture)).to.deep.equal([
      'arm64',
      'arm64',
    ]);
    expect(hexes(arm)).not.to.deep.equal(hexes(marshal(run, { platform: amd64 })));
  });

  it('refuse to build on what a run does not keep', () => {
    const run = image('busybox').run({ args: ['x'], mounts: [{ target: '/t', tmpfs: {} }] });
    expect(() => run.getMount('/t')).to.throw('keeps nothing to build on');
    expect(() => run.getMount('/u')).to.throw('no mount at /u');
    expect(() => image('busybox').run({})).to.throw('needs arguments');
    const mounts = [{ target: '/t', tmpfs: {}, source: image('busybox') }];
    expect(() => image('busybox').run({ args: ['x'], mounts })).to.throw('cannot have a source');
  });

  it('drop empty trees where they change nothing', () => {
    const base = image('busybox');
    expect(merge([scratch(), base, scratch()])).to.equal(base);
    expect(merge([scratch()]).output).to.equal(undefined);
    expect(diff(scratch(), base)).to.equal(base);
    expect(diff(scratch(), scratch()).output).to.equal(undefined);
  });
});

describe('llb definitions', () => {
  for (const [name, state] of Object.entries(graphs)) {
    it(`are taken over as they are: ${name}`, () => {
      const definition = marshal(state, { platform: amd64, localUniqueId: 'u' });
      const again = marshal(fromDefinition(definition), { localUniqueId: 'other' });
      // The order may be another one: only the ops' own order of inputs is known.
      expect(hexes(again)).to.have.members(hexes(definition));
      expect(hexes(again).at(-1)).to.equal(hexes(definition).at(-1));
      expect(again.metadata).to.deep.equal(definition.metadata);
    });
  }

  it('can be built upon', () => {
    const first = marshal(image('busybox'), { platform: amd64 });
    const on = (state = fromDefinition(first)) =>
      marshal(state.run({ args: ['x'] }).root(), { platform: amd64 });
    expect(hexes(on())).to.deep.equal(hexes(on(image('busybox'))));
    expect(fromDefinition({ def: [], metadata: new Map() }).output).to.equal(undefined);
  });

  it('survive the wire', () => {
    const definition = marshal(graphs['run-root']!, { platform: amd64, localUniqueId: 'u' });
    const read = definitionFromProto(pb.Definition.decode(encodeDefinition(definition)));
    expect(hexes(read)).to.deep.equal(hexes(definition));
    expect(read.metadata).to.deep.equal(definition.metadata);
  });

  it('say where steps were written', () => {
    const map = (): SourceMap => ({ filename: 'f', language: 'x', data: Buffer.from('text') });
    const range = (line: number) => ({ start: { line, character: 0 }, end: { line, character: 4 } });
    const state = local('ctx', { sessionId: 's' }).file(mkfile('/a', 0o644, ''), {
      locations: [{ map: map(), ranges: [range(1)] }],
    });
    const definition = marshal(
      state.file(mkfile('/b', 0o644, ''), { locations: [{ map: map(), ranges: [range(2)] }] }),
    );
    for (const written of [definition, marshal(fromDefinition(definition))]) {
      const { infos, locations } = pb.Source.decode(written.source!);
      expect(infos.map(({ filename, data }) => [filename, Buffer.from(data).toString()])).to.deep.equal([
        ['f', 'text'],
      ]);
      const lines = written.def.map((op) => locations[sha256(op)]?.locations[0]?.ranges[0]?.start?.line);
      expect(lines).to.deep.equal([undefined, 1, 2, undefined]);
    }
  });

  it('may be ten thousand steps deep', () => {
    let state = scratch();
    for (let i = 0; i < 10_000; i++) state = state.file(mkfile(`/${i}`, 0o644, 'x'));
    expect(marshal(state).def).to.have.length(10_001);
  });

  it('are refused when they do not hang together', () => {
    const [, ...rest] = marshal(graphs['run-on-run']!).def;
    expect(() => fromDefinition({ def: rest, metadata: new Map() })).to.throw('it has no op sha256:');
  });
});

describe('shell words', () => {
  for (const [line, words] of [
    ['a  b\tc', ['a', 'b', 'c']],
    [`'a b' "c \\"d\\"" e\\ f`, ['a b', 'c "d"', 'e f']],
    [`a'b'"c"d ''`, ['abcd', '']],
    ['a # rest\nb#c', ['a', 'b#c']],
    ['', []],
  ] as const) {
    it(`are ${words.length} in ${JSON.stringify(line)}`, () => expect(splitShell(line)).to.deep.equal(words));
  }

  it('must be closed', () => {
    expect(() => splitShell("a 'b")).to.throw('never closed');
    expect(() => splitShell('a \\')).to.throw('nothing follows');
  });
});
