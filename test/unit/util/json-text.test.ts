import { expect } from 'chai';
import fc from 'fast-check';
import { indentJson, objectMembers, sortedObject } from '../../../core/util/json-text.js';

describe('JSON as text', () => {
  it('keeps members byte for byte, without the space between', () => {
    const text = '{ "b" : [ 1.0, 12345678901234567890 ], "a": { "10": "x y", "2": null }, "c":"\\u00e9" }';
    expect([...objectMembers(text)!]).to.deep.equal([
      ['b', '[1.0,12345678901234567890]'],
      ['a', '{"10":"x y","2":null}'],
      ['c', '"\\u00e9"'],
    ]);
  });

  it('escapes what could end a script', () => {
    expect(objectMembers('{"a":"<b>&\u2028"}')!.get('a')).to.equal('"\\u003cb\\u003e\\u0026\\u2028"');
  });

  it('knows what is no object, and what is no JSON', () => {
    expect(objectMembers('[1]')).to.equal(undefined);
    expect(objectMembers('null')).to.equal(undefined);
    expect(() => objectMembers('{"a":}')).to.throw(SyntaxError);
  });

  it('cuts and joins without loss', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(JSON.parse(sortedObject(objectMembers(text)!))).to.deep.equal(JSON.parse(text));
      }),
    );
  });

  it('indents as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(indentJson(JSON.stringify(value))).to.equal(JSON.stringify(value, undefined, 2));
      }),
    );
  });
});
