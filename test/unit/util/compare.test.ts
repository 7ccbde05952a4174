import { expect } from 'chai';
import fc from 'fast-check';
import { compareBytes } from '../../../core/util/compare.js';

describe('compareBytes', () => {
  it('orders text as its UTF-8 bytes are ordered', () => {
    const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '/', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '𝒳'),
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).to.equal(bytes(a, b));
      }),
    );
  });
});
