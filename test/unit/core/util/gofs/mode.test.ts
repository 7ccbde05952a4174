import { expect } from 'chai';
import { goModeOf, isGoDir, isGoFile, statModeOf } from '../../../../../core/util/gofs/mode.js';

describe('Go file modes', () => {
  const table: readonly (readonly [name: string, stat: number, go: number])[] = [
    ['file', 0o100644, 0o644],
    ['directory', 0o040755, 2 ** 31 + 0o755],
    ['symlink', 0o120777, 2 ** 27 + 0o777],
    ['character device', 0o020666, 2 ** 26 + 2 ** 21 + 0o666],
    ['block device', 0o060660, 2 ** 26 + 0o660],
    ['fifo', 0o010644, 2 ** 25 + 0o644],
    ['socket', 0o140755, 2 ** 24 + 0o755],
    ['set-id and sticky bits', 0o107777, 2 ** 23 + 2 ** 22 + 2 ** 20 + 0o777],
  ];
  for (const [name, stat, go] of table) {
    it(`translates a ${name} both ways`, () => {
      expect([goModeOf(stat), statModeOf(go)]).to.deep.equal([go, stat]);
    });
  }

  it('tells directories and regular files', () => {
    expect([
      isGoDir(goModeOf(0o040755)),
      isGoFile(goModeOf(0o100644)),
      isGoFile(goModeOf(0o020666)),
    ]).to.deep.equal([true, true, false]);
  });
});
