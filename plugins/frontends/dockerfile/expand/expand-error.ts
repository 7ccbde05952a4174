import { BuildError } from '../../../../core/contracts/errors.js';

/** A word that cannot be expanded. */
export class ExpandError extends BuildError {
  constructor(message: string) {
    super('dockerfile.expand', message, { grpcCode: 'InvalidArgument' });
  }
}
