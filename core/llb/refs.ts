/** The solver hands opaque results around; for LLB every one of them is an immutable ref. */
import { BuildError } from '../contracts/errors.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { Result } from '../solver/op.js';

export function asRef(result: Result | undefined): ImmutableRef | undefined {
  if (result === undefined || isRef(result)) return result;
  throw new BuildError('llb.foreign-result', 'a step was given a result that is no ref', {
    grpcCode: 'Internal',
  });
}

const isRef = (result: Result): result is ImmutableRef => 'mutable' in result && result.mutable === false;
