import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import * as wire from '../../proto/index.js';

/** Every message of proto/*.proto, by the module that holds its code. */
const dir = path.join(import.meta.dirname, '../../proto');
const root = new protobuf.Root();
root.loadSync(
  readdirSync(dir)
    .filter((name) => name.endsWith('.proto'))
    .map((name) => path.join(dir, name)),
);
root.resolveAll();

interface AnyMessage {
  encode(value: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  create(value: object): object;
}

const generated = new Map<string, AnyMessage>();
for (const [name, members] of Object.entries(wire)) {
  for (const [type, value] of Object.entries(members as Record<string, unknown>)) {
    if (typeof (value as AnyMessage).decode === 'function')
      generated.set(`${name}.${type}`, value as AnyMessage);
  }
}
const modules: Readonly<Record<string, string>> = {
  'moby.buildkit.v1': 'control',
  'moby.buildkit.v1.types': 'types',
  'moby.buildkit.v1.apicaps': 'caps',
  'moby.buildkit.v1.frontend': 'gateway',
  'moby.buildkit.v1.sourcepolicy': 'sourcepolicy',
  'moby.buildkit.v1.sourcepolicy.policysession': 'policysession',
  'moby.buildkit.secrets.v1': 'secrets',
  'moby.filesync.v1': 'filesync',
  'moby.sshforward.v1': 'sshforward',
  'moby.upload.v1': 'upload',
  'moby.exporter.v1': 'exporter',
  'containerd.services.content.v1': 'content',
  'fsutil.types': 'fsutil',
  'grpc.health.v1': 'health',
  'google.protobuf': 'wellknown',
  'google.rpc': 'rpc',
};

const safeInt = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: 'grapheme' }),
  bytes: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  bool: fc.boolean(),
  int32: fc.integer(),
  uint32: fc.nat(0xffffffff),
  int64: safeInt,
  uint64: fc.maxSafeNat(),
};

function fieldValue(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const type = field.resolvedType;
  if (type instanceof protobuf.Enum) return fc.constantFrom(...Object.values(type.values));
  if (type instanceof protobuf.Type) return messageOf(type, depth + 1);
  return scalars[field.type]!;
}

/** Messages as programs write them: deep ones stay empty at some depth. */
function messageOf(type: protobuf.Type, depth = 0): fc.Arbitrary<object> {
  const fields = depth > 3 ? [] : type.fieldsArray.filter((field) => !field.partOf);
  const parts: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of fields) {
    const value = fieldValue(field, depth);
    const keys =
      field.map && (field as unknown as protobuf.MapField).keyType === 'int64'
        ? safeInt.map(String)
        : fc.string();
    const arbitrary = field.map
      ? fc.dictionary(keys, value, { maxKeys: 3, noNullPrototype: true })
      : field.repeated
        ? fc.array(value, { maxLength: 3 })
        : value;
    parts[field.name] = arbitrary;
  }
  const record = fc.record(parts, { requiredKeys: [] });
  const choice = depth > 3 ? undefined : type.oneofsArray[0];
  if (!choice) return record;
  const one = fc.oneof(
    ...choice.fieldsArray.map((field) => fieldValue(field, depth).map((value) => ({ [field.name]: value }))),
  );
  return fc.tuple(record, one).map(([rest, chosen]) => ({ ...rest, ...chosen }));
}

function* types(namespace: protobuf.NamespaceBase): Generator<protobuf.Type> {
  for (const member of namespace.nestedArray) {
    if (member instanceof protobuf.Type) yield member;
    else if (member instanceof protobuf.Namespace) yield* types(member);
  }
}

describe('messages of the wire', () => {
  for (const type of types(root)) {
    const module = modules[type.parent!.fullName.slice(1)];
    const code = generated.get(`${module}.${type.name}`);
    if (!module) continue;
    it(`${module}.${type.name} survives the way there and back`, () => {
      expect(code, 'generated code').to.not.equal(undefined);
      fc.assert(
        fc.property(messageOf(type), (message) => {
          const bytes = code!.encode(message).finish();
          const back = code!.decode(bytes);
          expect(Buffer.from(code!.encode(back).finish())).to.deep.equal(Buffer.from(bytes));
          // What reflection, an implementation of its own, makes of the bytes is the same.
          expect(type.toObject(back as protobuf.Message)).to.deep.equal(type.toObject(type.decode(bytes)));
        }),
        { numRuns: 30 },
      );
    });
  }
});
