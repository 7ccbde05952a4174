import { expect } from 'chai';
import { append, none, without } from '../../../core/util/lists.js';

describe('lists', () => {
  it('grow in place once they have an element', () => {
    const one = append(none, 'a');
    expect(append(one, 'b')).to.equal(one);
    expect(one).to.deep.equal(['a', 'b']);
    expect(none).to.be.empty;
  });

  for (const element of ['a', 'b', 'c']) {
    it(`keep their order without ${element}`, () => {
      const list = ['a', 'b', 'c'];
      const rest = list.filter((other) => other !== element);
      expect(without(list, element)).to.equal(list);
      expect(list).to.deep.equal(rest);
    });
  }

  it('share one empty list when they lose their last element', () => {
    const last = ['a'];
    expect(without(last, 'a')).to.equal(none);
    expect(append(without(last, 'a'), 'b')).to.deep.equal(['b']);
    expect(none).to.be.empty;
  });

  it('stay as they are without what is not in them', () => {
    const list = ['a'];
    expect(without(list, 'b')).to.equal(list);
    expect(list).to.deep.equal(['a']);
  });
});
