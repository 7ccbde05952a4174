/**
 * Graphs as bare shapes: for every step the ports it reads, inputs before their readers, the last step on top. The
 * benches time them, the simulation decorates small ones with everything that may go wrong.
 */

/** An output of an earlier step. */
export interface Port {
  readonly step: number;
  readonly output: number;
}
export type Shape = readonly (readonly Port[])[];

const first = (step: number): Port => ({ step, output: 0 });
const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);

/** Each step reads the one before. */
export const chain = (steps: number): Shape => range(steps).map((i) => (i === 0 ? [] : [first(i - 1)]));

/** One step reads all others. */
export const fanIn = (inputs: number): Shape => [...range(inputs).map(() => []), range(inputs).map(first)];

/** Steps on one base, and one step that reads them all. */
export const diamond = (branches: number): Shape => [
  [],
  ...range(branches).map(() => [first(0)]),
  range(branches).map((i) => first(i + 1)),
];

/** Rows of `width` steps, each of which reads three of the row before; one step on top reads the last row. */
export function wideDeep(width: number, depth: number): Shape {
  const rows = range(width * depth).map((i) => {
    const row = Math.floor(i / width);
    const above = [0, 1, 7].map((shift) => first((row - 1) * width + ((i + shift) % width)));
    return row === 0 ? [] : above.slice(0, width);
  });
  return [...rows, range(width).map((i) => first(width * (depth - 1) + i))];
}
