import { expect } from 'chai';
import { goQuote } from '../../../core/util/go-quote.js';

describe('goQuote', () => {
  const cases: readonly [string, string][] = [
    ['/bin/sh -c echo "hi"', String.raw`"/bin/sh -c echo \"hi\""`],
    ['a\\b', String.raw`"a\\b"`],
    ['\x07\b\f\n\r\t\v', String.raw`"\a\b\f\n\r\t\v"`],
    ['\x00\x7f', String.raw`"\x00\x7f"`],
    ['é 語 😀', '"é 語 😀"'],
    ['\u00a0\u200b', String.raw`"\u00a0\u200b"`],
    ['\u{e0001}', String.raw`"\U000e0001"`],
  ];
  for (const [text, quoted] of cases) it(`prints ${quoted}`, () => expect(goQuote(text)).to.equal(quoted));
});
