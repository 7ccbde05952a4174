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
    writeMessage(shared, type, message);
  } catch (error) {
    shared.take();
    throw error;
  }
  return shared.copy();
}

function writeMessage(writer: ByteWriter, type: string, message: object): void {
  const fields = message as Fields;
  for (const field of layout[type]!) writeField(writer, field, fields[field.name]);
  const unknowns = fields.$unknowns;
  if (unknowns) for (const unknown of unknowns) writer.bytes(unknown);
}

function writeField(writer: ByteWriter, field: FieldLayout, value: unknown): void {
  if (value === undefined || value === null) return;
  switch (field.kind) {
    case 'one':
      if (isMessage(field.type) || !isZero(value)) writeValue(writer, field.number, field.type, value);
      return;
    case 'choice':
      writeValue(writer, field.number, field.type, value);
      return;
    case 'list':
      writeList(writer, field, value as readonly unknown[]);
      return;
    case 'map':
      writeMap(writer, field, value as Readonly<Record<string, unknown>>);
      return;
    default:
      field.kind satisfies never;
  }
}

const isMessage = (type: string): boolean => Object.hasOwn(layout, type);
const isZero = (value: unknown): boolean => !value || (value instanceof Uint8Array && value.length === 0);

function writeList(writer: ByteWriter, field: FieldLayout, values: readonly unknown[]): void {
  if (values.length === 0) return;
  if (isMessage(field.type) || field.type === 'string' || field.type === 'bytes') {
    for (const value of values) writeValue(writer, field.number, field.type, value);
    return;
  }
  writer.varint((field.number << 3) | LENGTH);
  writer.delimited(() => {
    for (const value of values) writer.int64(value as number);
  });
}

function writeMap(writer: ByteWriter, field: FieldLayout, map: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(map).sort(compareBytes)) {
    writer.varint((field.number << 3) | LENGTH);
    writer.delimited(() => {
      writeValue(writer, 1, 'string', key);
      writeValue(writer, 2, field.type, map[key]);
    });
  }
}

function writeValue(writer: ByteWriter, number: number, type: string, value: unknown): void {
  if (type === 'string') {
    writer.varint((number << 3) | LENGTH);
    writer.text(value as string);
  } else if (type === 'bytes') {
    const bytes = value as Uint8Array;
    writer.varint((number << 3) | LENGTH);
    writer.varint(bytes.length);
    writer.bytes(bytes);
  } else if (isMessage(type)) {
    writer.varint((number << 3) | LENGTH);
    writer.delimited(() => writeMessage(writer, type, value as object));
  } else {
    writer.varint((number << 3) | VARINT);
    writer.int64(Number(value));
  }
}
