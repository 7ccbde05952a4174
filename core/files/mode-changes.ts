/**
 * Modes as chmod(1) writes them: octal, or clauses such as `u+x,go-w`, `a=rX`, `g=u-w`. The umask is 0, so a clause
 * without `ugoa` means everybody. BuildKit: fsutil copy with its BSD setmode parser.
 */
import { invalid } from '../contracts/errors.js';
import type { ModeChange } from '../util/tree/file-placer.js';

const shifts = { u: 6, g: 3, o: 0 } as const;
type Who = keyof typeof shifts;

export function parseModeChange(text: string): ModeChange {
  if (/^[0-9]/.test(text)) {
    if (!/^[0-7]{1,5}$/.test(text) || Number.parseInt(text, 8) > 0o7777) throw badMode(text);
    const absolute = Number.parseInt(text, 8);
    return () => absolute;
  }
  const steps = text.split(',').flatMap((clause) => parseClause(text, clause));
  return (mode, isDir) =>
    steps.reduce((current, step) => step(current, { original: mode, isDir }), mode & 0o7777);
}

type Step = (mode: number, file: { readonly original: number; readonly isDir: boolean }) => number;

function parseClause(text: string, clause: string): readonly Step[] {
  const match = /^([ugoa]*)((?:[+=-][rwxXstugo]*)+)$/.exec(clause);
  if (!match) throw badMode(text);
  const who = match[1]!;
  const everybody = who === '' || who.includes('a');
  const classes = (['u', 'g', 'o'] as const).filter((each) => everybody || who.includes(each));
  const actions = match[2]!.match(/[+=-][rwxXstugo]*/g)!;
  return actions.map((action) => makeStep(action[0] as '+' | '-' | '=', action.slice(1), classes, who));
}

function makeStep(op: '+' | '-' | '=', permissions: string, classes: readonly Who[], who: string): Step {
  const othersOnly = who === 'o';
  return (mode, file) => {
    const bits = [...permissions].reduce((sum, letter) => sum | bitsOf(letter, mode, file, op), 0);
    let value = classes.reduce((sum, each) => sum | ((bits & 7) << shifts[each]), 0);
    let affected = classes.reduce((sum, each) => sum | (7 << shifts[each]), 0);
    if (classes.includes('u')) affected |= 0o4000;
    if (classes.includes('g')) affected |= 0o2000;
    // Set-id bits belong to the user and the group, the sticky bit to all; `o` alone has neither.
    if (permissions.includes('s') && !othersOnly) {
      if (classes.includes('u')) value |= 0o4000;
      if (classes.includes('g')) value |= 0o2000;
    }
    if (permissions.includes('t') && !othersOnly) {
      affected |= 0o1000;
      value |= 0o1000;
    }
    if (op === '+') return mode | value;
    return op === '-' ? mode & ~value : (mode & ~affected) | value;
  };
}

/** One letter as three bits; a class letter copies what that class has now. */
function bitsOf(
  letter: string,
  mode: number,
  file: { original: number; isDir: boolean },
  op: string,
): number {
  switch (letter) {
    case 'r':
      return 4;
    case 'w':
      return 2;
    case 'x':
      return 1;
    case 'X':
      return op === '-' || file.isDir || (file.original & 0o111) !== 0 ? 1 : 0;
    case 'u':
    case 'g':
    case 'o':
      return (mode >> shifts[letter]) & 7;
    default:
      return 0;
  }
}

const badMode = (text: string): Error =>
  invalid('file.mode', `invalid mode "${text}"`, {
    hint: 'Write it as chmod does: 0755, u+x or a=rX,go-w.',
  });
