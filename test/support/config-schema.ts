/** The keys of buildkitd.toml, taken from the schema. */
import { z } from 'zod';
import { configSchema } from '../../core/kernel/config/schema.js';

export interface KeySchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly KeySchema[];
  readonly minimum?: number;
  readonly items?: KeySchema;
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly additionalProperties?: KeySchema | boolean;
  readonly description?: string;
}

/** Leaves of the schema with the tables that they are in; tables by name get one called `name`. */
function* leaves(
  schema: KeySchema,
  path: readonly string[] = [],
): Iterable<readonly [path: readonly string[], schema: KeySchema]> {
  if (schema.properties) {
    for (const [key, inner] of Object.entries(schema.properties)) yield* leaves(inner, [...path, key]);
    return;
  }
  const members = schema.additionalProperties;
  if (typeof members === 'object' && members.properties) yield* leaves(members, [...path, 'name']);
  else yield [path, schema];
}

export const configKeys = [...leaves(z.toJSONSchema(configSchema, { io: 'input' }) as KeySchema)];
