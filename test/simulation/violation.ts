/** Something that must never happen did. Thrown anywhere in a simulation. */
export class Violation extends Error {
  /** Of invariants.ts. */
  readonly invariant: number;

  constructor(invariant: number, message: string) {
    super(`invariant ${invariant}: ${message}`);
    this.invariant = invariant;
  }
}
