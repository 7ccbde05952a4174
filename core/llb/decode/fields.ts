/** How decoders refuse what they read; the loader adds which op it was. */
import { type BuildError, invalid } from '../../contracts/errors.js';

/** `where` is the field's path in the op: `exec.mounts[2].input`. */
export const malformed = (where: string, problem: string): BuildError =>
  invalid('llb.invalid', `${where}: ${problem}`);

export function present<T>(value: T | undefined, where: string): T {
  if (value === undefined) throw malformed(where, 'missing');
  return value;
}

export function nonEmpty(value: string, where: string): string {
  if (value === '') throw malformed(where, 'must not be empty');
  return value;
}

/** The name of an enum's wire number. */
export function named<T extends string>(names: readonly T[], value: number, where: string): T {
  const name = names[value];
  if (name === undefined) {
    throw malformed(where, `unknown value ${value} (known: ${names.map((n, i) => `${i} ${n}`).join(', ')})`);
  }
  return name;
}

/** An index into `count` things. */
export function indexOf(value: number, count: number, where: string): number {
  if (value !== -1) return indexOrNone(value, count, where);
  throw malformed(where, 'names no input');
}

/** An index into `count` things, or -1 for none of them. */
export function indexOrNone(value: number, count: number, where: string): number {
  if (Number.isInteger(value) && value >= -1 && value < count) return value;
  throw malformed(where, `index ${value} is out of range, there are ${count}`);
}

/** Outputs must be numbered 0, 1, … without gaps, in any order. */
export function checkOutputs(outputs: readonly number[], where: string): void {
  const given = outputs.filter((output) => output !== -1).sort((a, b) => a - b);
  const wrong = given.findIndex((output, i) => output !== i);
  if (wrong < 0) return;
  const problem =
    given[wrong] === given[wrong - 1] ? `duplicate output ${given[wrong]}` : `missing output ${wrong}`;
  throw malformed(where, problem);
}
