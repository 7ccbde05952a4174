import { expect } from 'chai';
import {
  clampHistory,
  type HistoryEntry,
  normalizeHistory,
} from '../../../plugins/exporters/shared/image/history.js';
import { diffIdOf } from './results.js';

const at = (seconds: number): string => `2024-01-01T00:00:${String(seconds).padStart(2, '0')}Z`;
const ms = (seconds: number): number => Date.parse(at(seconds));

/** `L` a layer's entry, `-` an empty one, each with its time or `?`: `L1 -? L2`. */
const parse = (text: string): HistoryEntry[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((part) => ({
      ...(part.slice(1) === '?' ? {} : { created: at(Number(part.slice(1))) }),
      createdBy: '',
      author: '',
      comment: '',
      emptyLayer: part.startsWith('-'),
    }));
const print = (history: readonly HistoryEntry[]): string =>
  history
    .map(({ emptyLayer, created, comment }) => {
      const time = created === undefined ? '?' : new Date(created).getUTCSeconds();
      return `${emptyLayer ? '-' : comment ? 'N' : 'L'}${time}`;
    })
    .join(' ');
const layers = (...times: number[]) =>
  times.map((time) => ({
    descriptor: { mediaType: '', digest: diffIdOf('x'), size: 1 },
    diffId: diffIdOf('x'),
    createdAt: ms(time),
    description: `made at ${time}`,
  }));

describe('history', () => {
  // Given entries, times of the layers there are, and the outcome; N is an entry made for a layer without one.
  const cases: readonly [name: string, given: string, times: number[], expected: string][] = [
    ['is made from the layers when there is none', '', [1, 2], 'N1 N2'],
    ['is kept when it fits', 'L1 -2 L3', [8, 9], 'L1 -2 L3'],
    ['gets entries for further layers', 'L1 -2', [8, 9], 'L1 -2 N9'],
    ['marks surplus entries as empty', 'L1 L2 L3', [9], 'L1 -2 -3'],
    ['takes missing times of layers from the layers', 'L? L?', [1, 2], 'L1 L2'],
    ['gives what precedes the first new layer its time', 'L1 -? L?', [1, 5], 'L1 -5 L5'],
    ['gives what follows a layer its time', 'L1 -? L? -?', [1, 5], 'L1 -5 L5 -5'],
    ['falls back to the last time there is', 'L1 -?', [1], 'L1 -1'],
    ['stays without times when nothing has one', '-? -?', [], '-? -?'],
  ];
  for (const [name, given, times, expected] of cases) {
    it(name, () => {
      expect(print(normalizeHistory(parse(given), layers(...times)))).to.equal(expected);
    });
  }

  it('names new entries after their layer', () => {
    expect(normalizeHistory([], layers(1))).to.deep.equal([
      {
        created: at(1),
        createdBy: 'made at 1',
        author: '',
        comment: 'buildkit.exporter.image.v0',
        emptyLayer: false,
      },
    ]);
  });

  it('is never younger than the epoch, but keeps the entries of the base', () => {
    expect(print(clampHistory(parse('L9 L8 L1 L7'), parse('L9'), ms(5) / 1000))).to.equal('L9 L5 L1 L5');
    expect(print(clampHistory(parse('L9 L8'), parse('L7 L8'), ms(5) / 1000))).to.equal('L5 L5');
  });
});
