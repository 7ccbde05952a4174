/** Failures that say nothing about the step: the job that ran it went away, or its client did. */
import { BuildError, isCanceled } from '../contracts/errors.js';

export const isTransient = (error: unknown): boolean =>
  isCanceled(error) || (error instanceof BuildError && error.code.startsWith('session.'));
