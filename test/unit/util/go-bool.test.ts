import { expect } from 'chai';
import { parseGoBool } from '../../../core/util/go-bool.js';

describe('parseGoBool', () => {
  it('takes Go’s spellings and no others', () => {
    expect(['1', 't', 'TRUE', 'True'].map(parseGoBool)).to.deep.equal([true, true, true, true]);
    expect(['0', 'f', 'FALSE', 'False'].map(parseGoBool)).to.deep.equal([false, false, false, false]);
    const others = ['', 'tRUE', 'yes', 'constructor'].map(parseGoBool);
    expect(others).to.deep.equal([undefined, undefined, undefined, undefined]);
  });
});
