/**
 * LLB messages as JSON, the way they stand in error details: protobuf's own mapping (`errdefs.Solve`) and that of
 * Go's encoding/json (`errdefs.Source`). Neither is hashed, so order and escapes are free. Wire facts E10.2.
 */
import { type FieldLayout, layout } from './gen/pb-layout.js';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** `protobuf`: int64 as text, enums by name, camel case. `go`: numbers throughout, names as in the .proto file. */
export type JsonStyle = 'protobuf' | 'go';

const wide = new Set(['int64', 'uint64']);

export function toJson(type: string, message: object, style: JsonStyle): { [key: string]: Json } {
  const values = message as Readonly<Record<string, unknown>>;
  const out: { [key: string]: Json } = {};
  const choice: { [key: string]: Json } = {};
  const own = style === 'go' ? goForms[type] : undefined;
  for (const field of byNumber(type)) {
    const value = values[field.name];
    if (value === undefined || value === null) continue;
    if (isEmpty(field, value) && !own?.always.includes(field.name)) continue;
    const into = own && field.kind === 'choice' ? choice : out;
    into[nameOf(field, style)] = fieldToJson(field, value, style);
  }
  return own ? { ...out, [own.choice]: choice } : out;
}

/** Messages whose Go form is not the one that is generated. BuildKit: solver/pb/json.go. */
const goForms: Readonly<Record<string, { readonly choice: string; readonly always: readonly string[] }>> = {
  Op: { choice: 'Op', always: [] },
  FileAction: { choice: 'Action', always: ['input', 'secondaryInput', 'output'] },
  UserOpt: { choice: 'User', always: [] },
};

const byNumber = (type: string): readonly FieldLayout[] =>
  [...layout[type]!].sort((a, b) => a.number - b.number);
const nameOf = (field: FieldLayout, style: JsonStyle): string =>
  style === 'go' ? (field.json ?? field.name) : field.name;

function isEmpty(field: FieldLayout, value: unknown): boolean {
  if (field.kind === 'choice') return false;
  if (field.kind === 'map') return Object.keys(value as object).length === 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return !value;
}

function fieldToJson(field: FieldLayout, value: unknown, style: JsonStyle): Json {
  if (field.kind === 'list')
    return (value as readonly unknown[]).map((item) => valueToJson(field, item, style));
  if (field.kind !== 'map') return valueToJson(field, value, style);
  const entries = Object.entries(value as object).map(
    ([key, item]) => [key, valueToJson(field, item, style)] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function valueToJson(field: FieldLayout, value: unknown, style: JsonStyle): Json {
  if (Object.hasOwn(layout, field.type)) return toJson(field.type, value as object, style);
  if (field.type === 'bytes') return Buffer.from(value as Uint8Array).toString('base64');
  if (style === 'protobuf' && wide.has(field.type)) return String(value);
  if (style === 'protobuf' && field.values) return field.values[value as number] ?? (value as number);
  return value as Json;
}

/** Reads either style; unknown members are skipped, as protobuf does. */
export function fromJson(type: string, json: Json | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (!isObject(json)) return out;
  for (const field of layout[type]!) {
    const value = json[field.name] ?? (field.json === undefined ? undefined : json[field.json]);
    if (value !== undefined && value !== null) out[field.name] = fieldFromJson(field, value);
  }
  return out;
}

export const isObject = (json: Json | undefined): json is { [key: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function fieldFromJson(field: FieldLayout, value: Json): unknown {
  if (field.kind === 'list') {
    return Array.isArray(value) ? value.map((item) => valueFromJson(field, item)) : [];
  }
  if (field.kind !== 'map') return valueFromJson(field, value);
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, valueFromJson(field, item)]));
}

function valueFromJson(field: FieldLayout, value: Json): unknown {
  if (Object.hasOwn(layout, field.type)) return fromJson(field.type, value);
  if (field.type === 'bytes') return Buffer.from(String(value), 'base64');
  if (field.type === 'string') return String(value);
  if (field.type === 'bool') return value === true;
  const named = field.values?.indexOf(String(value)) ?? -1;
  return named >= 0 ? named : Number(value);
}
