import { expect } from 'chai';
import { parseArguments } from '../../../bench/peers/arguments.js';
import { type Comparison, median, type Outcome } from '../../../bench/peers/compare.js';
import { markdown } from '../../../bench/peers/table.js';
import { workloads } from '../../../bench/peers/workloads.js';

const client = ['--client', process.execPath];

describe('bench:peers', () => {
  it('reads daemons with and without the id of their process', () => {
    const asked = parseArguments([...client, 'a=unix:///a', 'b=tcp://x:1,42'], workloads)!;
    expect(asked.peers).to.deep.equal([
      { name: 'a', address: 'unix:///a', pid: undefined },
      { name: 'b', address: 'tcp://x:1', pid: 42 },
    ]);
    expect(asked.workloads).to.equal(workloads);
    expect(asked.base).to.equal('localhost:5000/library/busybox:latest');
  });

  for (const [args, words] of [
    [['a=b'], '--client is missing'],
    [['--client', '/nowhere', 'a=b'], '--client /nowhere: there is no such file'],
    [client, 'no daemon is given'],
    [[...client, 'unix:///a'], 'unix:///a is no daemon: NAME=ADDRESS'],
    [[...client, '--runs', '0', 'a=b'], '--runs 0 is no number of runs'],
    [[...client, '--only', 'nop', 'a=b'], 'did you mean noop?'],
    [[...client, '--scratch', '/nowhere', 'a=b'], '--scratch /nowhere: there is no such folder'],
    [[...client, '--fast', 'a=b'], "Unknown option '--fast'"],
  ] as const) {
    it(`says what is wrong: ${words}`, () => {
      expect(() => parseArguments(args, workloads)).to.throw(words);
    });
  }

  it('takes the middle of the runs', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).to.deep.equal([2, 2.5, undefined]);
  });

  const outcome = (peer: string, seconds: readonly number[], failure?: string): Outcome => ({
    peer,
    seconds,
    processor: undefined,
    failure,
  });
  const comparison = (summary: string, ...outcomes: readonly Outcome[]): Comparison => ({
    workload: { name: 'x', summary, run: async () => 0 },
    outcomes,
  });

  it('writes a table of seconds and ratios, in which failures stand', () => {
    const text = markdown(
      [
        comparison('fast', outcome('a', [2]), outcome('b', [1])),
        comparison('broken', outcome('a', [2]), outcome('b', [], 'no space')),
      ],
      [{ command: 'cp', summary: 'copied', seconds: undefined }],
    );
    expect(text).to.equal(
      [
        '| workload | a, s | b, s | b ÷ a |',
        '| --- | --- | --- | --- |',
        '| `x`: fast | 2.000 | 1.000 | 0.50 |',
        '| `x`: broken | 2.000 | fails: no space | – |',
        '',
        '| program | work | s |',
        '| --- | --- | --- |',
        '| `cp` | copied | – |',
        '',
      ].join('\n'),
    );
  });

  it('writes the processor time of daemons whose process is known', () => {
    const text = markdown(
      [comparison('fast', { ...outcome('a', [2]), processor: 0.5 }, outcome('b', [1]))],
      [],
    );
    expect(text.split('\n')).to.deep.equal([
      '| workload | a, s | b, s | b ÷ a | a, CPU s | b, CPU s |',
      '| --- | --- | --- | --- | --- | --- |',
      '| `x`: fast | 2.000 | 1.000 | 0.50 | 0.500 | – |',
      '',
    ]);
  });
});
