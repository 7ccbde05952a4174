import { expect } from 'chai';
import { median, ranksOutside, verdict } from '../../../../bench/tracing/paired.js';

describe('paired measurements', () => {
  it('have a median in the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 3, 2])).to.equal(2.5);
  });

  it('are sure of what tables of the sign test say', () => {
    expect([6, 8, 9, 12, 20, 30, 40].map(ranksOutside)).to.deep.equal([0, 0, 1, 2, 5, 9, 13]);
    expect(() => ranksOutside(5)).to.throw('at least 6');
  });

  it('tell a cost that a machine twice as slow for some pairs does not hide', () => {
    const pairs = Array.from({ length: 20 }, (_, i) => {
      const off = i % 3 === 0 ? 200 : 100;
      return { off, on: off * (1.03 + (i % 5) / 1000) };
    });
    const { more, from, to } = verdict(pairs);
    expect(more).to.be.closeTo(0.032, 0.001);
    expect(from).to.be.within(0.029, more);
    expect(to).to.be.within(more, 0.035);
  });
});
