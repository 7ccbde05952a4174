/** The configuration file as tables: the kernel's schema, and that of every plugin that comes with the package. */
import { z } from 'zod';
import { configSchema, keysNotSupportedYet } from '../../core/kernel/config/schema.js';
import { builtinPlugins } from '../../plugins/index.js';
import { code, table } from './markdown.js';

/** The part of JSON Schema that zod writes for configuration. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly default?: unknown;
  readonly description?: string;
}

const HEADER = ['key', 'type', 'default', 'meaning'];

export function configTable(): string {
  const tables = rowsOf(jsonSchema(configSchema), '');
  const refused = keysNotSupportedYet.map((key) => code(key)).join(', ');
  return `${table(HEADER, tables)}\n\nKnown to BuildKit, but not served by this version; naming one is an error: ${refused}.\n`;
}

export function pluginTables(): string {
  return builtinPlugins
    .map(({ kind, id, config }) => {
      const section = `[plugin.${kind}.${/^[\w-]+$/.test(id) ? id : JSON.stringify(id)}]`;
      const rows = rowsOf(jsonSchema(config), '');
      const body = rows.length === 0 ? 'No settings.' : table(HEADER, rows);
      return `### ${code(section)}\n\n${body}\n`;
    })
    .join('\n');
}

const jsonSchema = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { io: 'input' }) as Schema;

function rowsOf(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const key = `${prefix}${name}`;
    if (value.properties) return rowsOf(value, `${key}.`);
    const { additionalProperties: members } = value;
    if (typeof members === 'object' && members.properties) return rowsOf(members, `${key}.<name>.`);
    return [[code(key), typeOf(value), defaultOf(value), value.description ?? '']];
  });
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((each) => code(JSON.stringify(each))).join(', ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return `array of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'object') {
    if (schema.properties) return `table of ${Object.keys(schema.properties).map(code).join(', ')}`;
    const { additionalProperties: members } = schema;
    return `table of ${typeof members === 'object' ? typeOf(members) : 'anything'}`;
  }
  return schema.type ?? 'anything';
}

const defaultOf = ({ default: value }: Schema): string =>
  value === undefined ? '' : code(JSON.stringify(value));
