import { BuildError, type SourceRange } from '../../../core/contracts/errors.js';

/** Whole lines `first` to `last`, one range each, as BuildKit reports them. */
export function lineRanges(first: number, last: number): SourceRange[] {
  const ranges: SourceRange[] = [];
  for (let line = first; line <= Math.max(first, last); line++) {
    const place = { line, character: 0 };
    ranges.push({ start: place, end: place });
  }
  return ranges;
}

/** An error about the Dockerfile itself. */
export const syntaxError = (message: string, hint?: string): BuildError =>
  new BuildError('dockerfile.syntax', message, {
    grpcCode: 'InvalidArgument',
    ...(hint === undefined ? {} : { hint }),
  });

/** An error about one word of an instruction, which excerpts can point at. */
export class WordError extends BuildError {
  readonly word: string;

  constructor(message: string, word: string) {
    super('dockerfile.syntax', message, { grpcCode: 'InvalidArgument' });
    this.word = word;
  }
}

/** Says where in the Dockerfile an error arose, unless something nearer to it did; the file is filled in later. */
export function locate(error: unknown, ranges: readonly SourceRange[]): BuildError {
  const known = BuildError.from(error);
  if (known.details.some(({ type }) => type === 'source') || known.code === 'canceled') return known;
  return known.wrap(undefined, { type: 'source', ranges });
}

export function locating<T>(ranges: readonly SourceRange[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw locate(error, ranges);
  }
}
