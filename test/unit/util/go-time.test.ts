import { expect } from 'chai';
import { canonicalTime, isAfter, timeFromMs } from '../../../core/util/go-time.js';

describe('times as Go prints them', () => {
  const cases: readonly [given: string, printed: string | undefined][] = [
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.120000000Z', '2024-01-02T03:04:05.12Z'],
    ['2024-01-02T03:04:05.000Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.123456789+02:00', '2024-01-02T03:04:05.123456789+02:00'],
    ['2024-01-02T03:04:05+00:00', '2024-01-02T03:04:05Z'],
    ['2024-01-02 03:04:05', undefined],
    ['2024-13-02T03:04:05Z', undefined],
  ];
  for (const [given, printed] of cases) {
    it(`prints ${given} as ${printed}`, () => {
      expect(canonicalTime(given)).to.equal(printed);
    });
  }

  it('prints milliseconds', () => {
    expect(timeFromMs(1_500)).to.equal('1970-01-01T00:00:01.5Z');
  });

  it('compares to the nanosecond', () => {
    expect(isAfter('1970-01-01T00:00:05Z', 5)).to.equal(false);
    expect(isAfter('1970-01-01T00:00:05.000000001Z', 5)).to.equal(true);
    expect(isAfter('1970-01-01T02:00:04+02:00', 5)).to.equal(false);
  });
});
