import { expect } from 'chai';
import { formatGoDuration, parseGoDuration } from '../../../../core/util/go-duration.js';

describe('durations of Go', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['48h0m0s', 172_800_000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['300ms', 300],
    ['250µs', 0.25],
    ['0s', 0],
  ];
  for (const [text, ms] of rows) {
    it(`has ${text}`, () => {
      expect([formatGoDuration(ms), parseGoDuration(text)]).to.deep.equal([text, ms]);
    });
  }

  it('knows what is none', () => {
    expect(['', '5', 'h', '1 h', '3days', '-1s'].map(parseGoDuration)).to.deep.equal(
      Array(6).fill(undefined),
    );
  });
});
