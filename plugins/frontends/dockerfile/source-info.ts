import { encodeDefinition, type SourceMap } from '../../../client/llb/index.js';
import { BuildError, type SourceInfo, type SourceRange } from '../../../core/contracts/errors.js';
import type { WordError } from './located.js';

export const sourceInfo = ({ filename, language, data, definition }: SourceMap): SourceInfo => ({
  filename,
  language,
  data,
  ...(definition ? { definition: encodeDefinition(definition) } : {}),
});

/** Gives errors that know their lines the file with them, so that clients can print an excerpt. */
export async function withSource<T>(map: SourceMap, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = BuildError.from(error);
    const info = sourceInfo(map);
    const word = wordOf(known);
    const details = known.details.map((detail) =>
      detail.type === 'source' && detail.info === undefined
        ? { ...detail, info, ranges: word === undefined ? detail.ranges : pointAt(word, detail.ranges, map) }
        : detail,
    );
    throw new BuildError(known.code, known.message, {
      grpcCode: known.grpcCode,
      details,
      cause: known,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
    });
  }
}

/** The word that an error, or what caused it, is about. */
function wordOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return (error as Partial<WordError>).word ?? wordOf(error.cause);
}

/** Narrows the first of the lines that has the word down to it. */
function pointAt(word: string, ranges: readonly SourceRange[], { data }: SourceMap): readonly SourceRange[] {
  const lines = Buffer.from(data).toString().split('\n');
  const column = ({ start }: SourceRange): number => (lines[start.line - 1] ?? '').indexOf(word);
  const found = ranges.find((range) => column(range) >= 0);
  if (!found) return ranges;
  const { line } = found.start;
  const start = { line, character: column(found) };
  return ranges.map((range) =>
    range === found ? { start, end: { line, character: start.character + word.length } } : range,
  );
}
