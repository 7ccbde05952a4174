import { encodeDefinition, type SourceMap } from '../../../client/llb/index.js';
import { BuildError, type SourceInfo } from '../../../core/contracts/errors.js';

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
    const details = known.details.map((detail) =>
      detail.type === 'source' && detail.info === undefined ? { ...detail, info } : detail,
    );
    throw new BuildError(known.code, known.message, {
      grpcCode: known.grpcCode,
      details,
      cause: known,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
    });
  }
}
