import { expect } from 'chai';
import { parseModeChange } from '../../../../core/files/mode-changes.js';

describe('parseModeChange', () => {
  const table: readonly (readonly [text: string, from: number, isDir: boolean, to: number])[] = [
    ['755', 0o644, false, 0o755],
    ['4711', 0o644, false, 0o4711],
    ['u+x', 0o644, false, 0o744],
    ['+x', 0o644, false, 0o755],
    ['go-r', 0o644, false, 0o600],
    ['a=r', 0o777, false, 0o444],
    ['u=rwx,go=rx', 0, false, 0o755],
    ['a=rX', 0o640, false, 0o444],
    ['a=rX', 0o640, true, 0o555],
    ['a+X', 0o744, false, 0o755],
    ['g=u', 0o640, false, 0o660],
    ['g=u-w', 0o640, false, 0o640],
    ['go=u-w', 0o750, false, 0o755],
    ['u+s', 0o755, false, 0o4755],
    ['g+s', 0o755, false, 0o2755],
    ['o+s', 0o755, false, 0o755],
    ['u=rw', 0o4755, false, 0o655],
    ['+t', 0o777, true, 0o1777],
    ['-t', 0o1777, true, 0o777],
    ['go=', 0o777, false, 0o700],
  ];
  for (const [text, from, isDir, to] of table) {
    it(`${text} makes ${from.toString(8)}${isDir ? ' of a directory' : ''} ${to.toString(8)}`, () => {
      expect(parseModeChange(text)(from, isDir)).to.equal(to);
    });
  }
  for (const text of ['', 'x', 'u', '+', '8', '99999', 'u+q', 'u+x;', ',']) {
    it(`refuses "${text}"`, () => {
      if (text === '+') expect(parseModeChange(text)(0o644, false)).to.equal(0o644);
      else expect(() => parseModeChange(text)).to.throw(`invalid mode "${text}"`);
    });
  }
});
