/**
 * Marshals LLB exactly as Go does, because its bytes are hashed: an op's digest is its identity.
 *
 * 1. Plain fields by number, then the member of the oneof, then unknown fields as they came.
 * 2. Maps sorted by the bytes of their keys; key and value are always written.
 * 3. Zero scalars are left out, messages that are present are written even when empty (`5a00`).
 *
 * BuildKit: client/llb/marshal.go. Wire facts E5.12, G8.
 */
import { compareBytes } from '../core/util/compare.js';
import { ByteWriter } from './byte-writer.js';
import { type FieldLayout, layout } from './gen/pb-layout.js';
import type { Init } from './gen/support.js';
import type { pb } from './index.js';

export const marshalOp = (op: Init<pb.Op>): Buffer => marshalMessage('Op', op);
export const marshalDefinition = (definition: Init<pb.Definition>): Buffer =>
  marshalMessage('Definition', definition);
export const marshalSource = (source: Init<pb.Source>): Buffer => marshalMessage('Source', source);

type Fields = Readonly<Record<string, unknown>> & { readonly $unknowns?: readonly Uint8Array[] };

const VARINT = 0;
const LENGTH = 2;

/** Marshalling never waits, so one writer serves all of it. */
const shared = new ByteWriter(4096);

function marshalMessage(type: string, message: object): Buffer {
  try {
    writeMessage(shared, writersOf(type), message);
  } catch (error) {
    shared.take();
    throw error;
  }
  return shared.copy();
}

/** Writes the value of a field, if it is one that is written. */
interface FieldWriter {
  readonly name: string;
  write(writer: ByteWriter, value: unknown): void;
}

type ValueWriter = (writer: ByteWriter, value: unknown) => void;

/** By name of the message, made from the layout when first needed. */
const writers = new Map<string, readonly FieldWriter[]>();

function writersOf(type: string): readonly FieldWriter[] {
  const known = writers.get(type);
  if (known) return known;
  const made: FieldWriter[] = [];
  // Messages may hold their like.
  writers.set(type, made);
  for (const field of layout[type]!) made.push({ name: field.name, write: fieldWriter(field) });
  return made;
}

function writeMessage(writer: ByteWriter, fields: readonly FieldWriter[], message: object): void {
  const values = message as Fields;
  for (const field of fields) {
    const value = values[field.name];
    if (value !== undefined && value !== null) field.write(writer, value);
  }
  const unknowns = values.$unknowns;
  if (unknowns) for (const unknown of unknowns) writer.bytes(unknown);
}

function fieldWriter(field: FieldLayout): ValueWriter {
  const write = valueWriter(field.number, field.type);
  switch (field.kind) {
    case 'one':
      if (isMessage(field.type)) return write;
      return (writer, value) => {
        if (!isZero(value)) write(writer, value);
      };
    case 'choice':
      return write;
    case 'list':
      return listWriter(field, write);
    case 'map':
      return mapWriter(field);
  }
  return field.kind satisfies never;
}

const isMessage = (type: string): boolean => Object.hasOwn(layout, type);
const isZero = (value: unknown): boolean => !value || (value instanceof Uint8Array && value.length === 0);

function listWriter({ number, type }: FieldLayout, write: ValueWriter): ValueWriter {
  if (isMessage(type) || type === 'string' || type === 'bytes') {
    return (writer, values) => {
      for (const value of values as readonly unknown[]) write(writer, value);
    };
  }
  const tag = (number << 3) | LENGTH;
  return (writer, value) => {
    const values = value as readonly number[];
    if (values.length === 0) return;
    writer.varint(tag);
    const start = writer.open();
    for (const value of values) writer.int64(value);
    writer.close(start);
  };
}

function mapWriter({ number, type }: FieldLayout): ValueWriter {
  const tag = (number << 3) | LENGTH;
  const writeKey = valueWriter(1, 'string');
  const writeValue = valueWriter(2, type);
  return (writer, value) => {
    const map = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(map).sort(compareBytes)) {
      writer.varint(tag);
      const start = writer.open();
      writeKey(writer, key);
      writeValue(writer, map[key]);
      writer.close(start);
    }
  };
}

function valueWriter(number: number, type: string): ValueWriter {
  const tag = (number << 3) | LENGTH;
  if (type === 'string') {
    return (writer, value) => {
      writer.varint(tag);
      writer.text(value as string);
    };
  }
  if (type === 'bytes') {
    return (writer, value) => {
      const bytes = value as Uint8Array;
      writer.varint(tag);
      writer.varint(bytes.length);
      writer.bytes(bytes);
    };
  }
  if (isMessage(type)) {
    const fields = writersOf(type);
    return (writer, value) => {
      writer.varint(tag);
      const start = writer.open();
      writeMessage(writer, fields, value as object);
      writer.close(start);
    };
  }
  const scalar = (number << 3) | VARINT;
  return (writer, value) => {
    writer.varint(scalar);
    writer.int64(typeof value === 'bigint' ? value : Number(value));
  };
}
