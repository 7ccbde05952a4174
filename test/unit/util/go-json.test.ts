import { expect } from 'chai';
import { goJson, omitEmpty } from '../../../core/util/go-json.js';

describe('goJson', () => {
  const cases: readonly [name: string, value: Parameters<typeof goJson>[0], text: string][] = [
    ['escapes what HTML would read', '<a> & b', String.raw`"\u003ca\u003e \u0026 b"`],
    ['escapes line separators of JavaScript', '\u2028\u2029', String.raw`"\u2028\u2029"`],
    ['names the usual control characters', '\b\f\n\r\t', String.raw`"\b\f\n\r\t"`],
    ['writes other control characters as numbers', '\u0000\u001f', String.raw`"\u0000\u001f"`],
    ['leaves DEL, slashes and other scripts as they are', '\u007f/é😀', '"\u007f/é😀"'],
    ['replaces half a surrogate pair', 'a\ud800b', String.raw`"a\ufffdb"`],
    ['writes bytes as base64', Buffer.from('hello\n'), '"aGVsbG8K"'],
    ['writes bigints as integers', 9_223_372_036_854_775_807n, '9223372036854775807'],
    ['keeps the order of a struct', { b: 1, a: true }, '{"b":1,"a":true}'],
    ['leaves out undefined members', { a: undefined, b: [] }, '{"b":[]}'],
    ['writes null', { a: null }, '{"a":null}'],
    [
      'sorts maps by the bytes of their keys',
      new Map([
        ['\u{10000}', 1],
        ['\uffff', 2],
        ['a', 3],
      ]),
      '{"a":3,"\uffff":2,"\u{10000}":1}',
    ],
  ];
  for (const [name, value, text] of cases) {
    it(name, () => expect(goJson(value)).to.equal(text));
  }
});

describe('omitEmpty', () => {
  it('leaves out zero values but keeps empty structs', () => {
    const struct = {
      a: '',
      b: 0,
      c: 0n,
      d: false,
      e: [],
      f: new Map(),
      g: new Uint8Array(),
      h: undefined,
      i: {},
    };
    expect(omitEmpty(struct)).to.deep.equal({ i: {} });
  });
});
