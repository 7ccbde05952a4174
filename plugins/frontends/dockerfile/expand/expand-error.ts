import { BuildError } from '../../../../core/contracts/errors.js';

/** A word that cannot be expanded. */
export class ExpandError extends BuildError {
  /** The variables that were found unset up to there. */
  readonly unmatched: ReadonlySet<string>;

  constructor(message: string, unmatched: ReadonlySet<string> = new Set()) {
    super('dockerfile.expand', message, { grpcCode: 'InvalidArgument' });
    this.unmatched = unmatched;
  }
}
