/** Adds to an error where in the frontend's input the failed step comes from: clients print that excerpt. */
import { pb } from '../../proto/index.js';
import { marshalDefinition } from '../../proto/marshal.js';
import {
  BuildError,
  type ErrorDetail,
  isCanceled,
  type SourceInfo,
  type SourceRange,
} from '../contracts/errors.js';
import type { LlbDefinition } from '../contracts/frontend.js';

export function withSource(error: unknown, definition: LlbDefinition): BuildError {
  const known = BuildError.from(error);
  const vertex = known.details.find((detail) => detail.type === 'vertex');
  if (isCanceled(known) || !vertex || !definition.source) return known;
  const map = pb.Source.decode(definition.source);
  const locations = map.locations[vertex.digest]?.locations ?? [];
  const details = locations.map((location) => sourceDetail(location, map.infos));
  return details.length > 0 ? known.wrap(undefined, ...details) : known;
}

function sourceDetail({ sourceIndex, ranges }: pb.Location, infos: readonly pb.SourceInfo[]): ErrorDetail {
  const info = infos[sourceIndex];
  return { type: 'source', ...(info ? { info: sourceInfo(info) } : {}), ranges: ranges.map(sourceRange) };
}

export const sourceInfo = ({ filename, data, definition, language }: pb.SourceInfo): SourceInfo => ({
  filename,
  data,
  ...(definition ? { definition: marshalDefinition(definition) } : {}),
  ...(language ? { language } : {}),
});

export const sourceRange = ({ start, end }: pb.Range): SourceRange => ({
  start: { line: start?.line ?? 0, character: start?.character ?? 0 },
  end: { line: end?.line ?? 0, character: end?.character ?? 0 },
});
