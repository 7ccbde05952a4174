import { expect } from 'chai';
import { parseAgents } from '../../../cmd/buildctl/build/agents.js';
import { parseOpts, parseSecrets } from '../../../cmd/buildctl/build/inputs.js';
import { type OutputOptions, parseOutputs } from '../../../cmd/buildctl/build/outputs.js';
import { csvFields } from '../../../cmd/buildctl/csv.js';
import { parseDuration } from '../../../cmd/buildctl/duration.js';

let warnings = '';
const stream = (isTTY: boolean) => ({
  stdout: { isTTY } as NodeJS.WriteStream,
  stderr: {
    write: (text: string): void => {
      warnings += text;
    },
  },
});
const outputs = (options: OutputOptions, isTTY = false) => parseOutputs(options, stream(isTTY));

describe('buildctl build --output', () => {
  it('takes type, attributes and destination apart', () => {
    expect(outputs({ output: ['type=oci,dest=a.tar,name=x:1', 'type=local,dest=out'] })).to.deep.equal([
      { type: 'oci', attrs: { name: 'x:1' }, target: { kind: 'file', path: 'a.tar' } },
      { type: 'local', attrs: {}, target: { kind: 'folder', path: 'out' } },
    ]);
  });

  it('keeps commas in quotes', () => {
    expect(csvFields('a=1,"name=x,y","q=""z"""')).to.deep.equal(['a=1', 'name=x,y', 'q="z"']);
  });

  it('understands the short forms', () => {
    expect(outputs({ output: ['out'] })[0]).to.deep.include({ type: 'local' });
    expect(outputs({ output: ['-'] })[0]?.target?.kind).to.equal('stream');
  });

  it('refuses to write an archive to a terminal', () => {
    expect(() => outputs({ output: ['type=oci'] }, true)).to.throw('refusing to write to console');
  });

  it('corrects output= to dest=', () => {
    expect(() => outputs({ output: ['type=oci,output=a'] })).to.throw('you meant dest=a?');
  });

  it('maps the older flags and says so', () => {
    warnings = '';
    expect(outputs({ exporter: ['local'], exporterOpt: ['output=dir'] })).to.deep.equal([
      { type: 'local', attrs: {}, target: { kind: 'folder', path: 'dir' } },
    ]);
    expect(warnings).to.contain('deprecated');
  });

  it('takes the dest of exporters that plugins bring as a file, or as a folder if it is named as one', () => {
    const output = [
      'type=sum,dest=sum.txt',
      'type=site,dest=out/',
      'type=site,dest=.',
      'type=sum,dest=-',
      'type=x',
    ];
    expect(outputs({ output }).map(({ target }) => target?.kind)).to.deep.equal([
      'file',
      'folder',
      'folder',
      'stream',
      undefined,
    ]);
  });

  it('has no dest for images', () => {
    expect(() => outputs({ output: ['type=image,dest=x'] })).to.throw(
      'output x is not supported by image exporter',
    );
  });

  it('lets only one result go to standard output', () => {
    expect(() => outputs({ output: ['type=oci', 'type=tar'] })).to.throw('only one result');
  });
});

describe('buildctl build inputs', () => {
  it('takes a build argument without value from the environment', () => {
    expect(parseOpts(['build-arg:A', 'build-arg:B', 'target=x=y'], { A: '1' })).to.deep.equal({
      'build-arg:A': '1',
      target: 'x=y',
    });
  });

  it('reads secrets from files and the environment', () => {
    const secrets = parseSecrets(['id=a,src=/f', 'id=b,env=V', 'id=c', 'id=d', 'src=/x/e'], { c: 'set' });
    expect([...secrets]).to.deep.equal([
      ['a', { file: '/f' }],
      ['b', { env: 'V' }],
      ['c', { env: 'c' }],
      ['d', { file: 'd' }],
      ['e', { file: '/x/e' }],
    ]);
  });

  it('reads agents and keys of ssh', () => {
    expect([...parseAgents(['default', 'work=/a.sock,raw=true', 'keys=/k1,/k2'])]).to.deep.equal([
      ['default', { paths: [], raw: false }],
      ['work', { paths: ['/a.sock'], raw: true }],
      ['keys', { paths: ['/k1', '/k2'], raw: false }],
    ]);
    expect([...parseAgents(['=/k'])]).to.deep.equal([['default', { paths: ['/k'], raw: false }]]);
  });

  for (const [specs, why] of [
    [['a', 'a=/k'], /--ssh a=\/k: duplicate agent ID "a"/],
    [['a=/x,/y,raw=1'], /raw mode must supply exactly one socket path for "a"/],
    [['a=/x,raw=yes'], /invalid value for 'raw': yes/],
  ] as const) {
    it(`refuses --ssh ${specs.join(' --ssh ')}`, () => {
      expect(() => parseAgents(specs)).to.throw(why);
    });
  }

  it('names the nearest key of a secret', () => {
    expect(() => parseSecrets(['id=a,scr=/f'])).to.throw('unexpected key "scr" (did you mean "src"?)');
  });

  it('reads durations as Go writes them', () => {
    expect(parseDuration('keep-duration', '1h30m')).to.equal(5_400_000);
    expect(() => parseDuration('keep-duration', '3 days')).to.throw('not a duration');
  });
});
