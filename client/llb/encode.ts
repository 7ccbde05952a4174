import type { LlbDefinition } from '../../core/contracts/frontend.js';
import { definitionToProto } from '../../proto/definition.js';
import { marshalDefinition, marshalSource } from '../../proto/marshal.js';
import type { SourceMapCollector } from './source-map.js';

/** The source map of a definition, as it travels. */
export function encodeSource({ maps, locations }: SourceMapCollector): Uint8Array {
  const byDigest = [...locations].map(([digest, found]) => [
    digest,
    { locations: found.map(({ mapIndex, ranges }) => ({ sourceIndex: mapIndex, ranges })) },
  ]);
  return marshalSource({
    locations: Object.fromEntries(byDigest),
    infos: maps.map(({ filename, language, data, definition }) => ({
      filename,
      language,
      data,
      ...(definition ? { definition: definitionToProto(definition) } : {}),
    })),
  });
}

/** A definition as bytes, as `buildctl build` reads it from its input. */
export const encodeDefinition = (definition: LlbDefinition): Uint8Array =>
  marshalDefinition(definitionToProto(definition));
