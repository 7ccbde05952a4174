import { expect } from 'chai';
import { hasRange } from '../../../../cmd/shared/rootless/missing.js';

describe('hasRange', () => {
  it('finds ids by the name or by the number of a user', () => {
    const text = 'ann:100000:65536\n1001:165536:65536\nempty:1:0\n';
    expect(hasRange(text, 'ann', 1000)).to.equal(true);
    expect(hasRange(text, 'bob', 1001)).to.equal(true);
    expect(hasRange(text, 'carl', 1002)).to.equal(false);
    expect(hasRange(text, 'empty', 1003)).to.equal(false);
    expect(hasRange('', 'ann', 1000)).to.equal(false);
  });
});
