/** Ops whose every field may be wrong, on inputs that may not be there. */
import fc from 'fast-check';
import { sha256 } from '../../../core/util/digest.js';
import { type Init, pb } from '../../../proto/index.js';
import { nastyInteger, nastyPath, nastyText } from './values.js';

/** Mostly an index that could be right. */
const index = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -1, max: 2 }) },
  { weight: 1, arbitrary: nastyInteger },
);
/** Nearly always right, for what every op has: else nothing further is ever looked at. */
const port = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: index });
const small = (values: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 5, arbitrary: fc.nat(values) }, { weight: 1, arbitrary: nastyInteger });
const flag = fc.boolean();
const texts = fc.array(nastyText, { maxLength: 3 });
const map = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.array(fc.tuple(nastyText, value), { maxLength: 3 }).map((entries) => {
    const made: Record<string, T> = Object.create(null);
    for (const [key, each] of entries) made[key] = each;
    return made;
  });
const some = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const mount = some({
  input: index,
  selector: nastyPath,
  dest: fc.oneof(fc.constant('/'), nastyPath),
  output: index,
  readonly: flag,
  mountType: small(4),
  cacheOpt: some({ ID: nastyText, sharing: small(2) }),
  secretOpt: some({
    ID: nastyText,
    uid: nastyInteger,
    gid: nastyInteger,
    mode: nastyInteger,
    optional: flag,
  }),
  SSHOpt: some({ ID: nastyText, uid: nastyInteger, gid: nastyInteger, mode: nastyInteger, optional: flag }),
  TmpfsOpt: some({ size: nastyInteger }),
  resultID: nastyText,
  contentCache: small(2),
});
export const hostileExec = some({
  meta: some({
    args: texts,
    env: texts,
    cwd: nastyPath,
    user: nastyText,
    extraHosts: fc.array(some({ Host: nastyText, IP: fc.oneof(fc.constant('1.2.3.4'), nastyText) }), {
      maxLength: 2,
    }),
    hostname: nastyText,
    ulimit: fc.array(some({ Name: nastyText, Soft: nastyInteger, Hard: nastyInteger }), { maxLength: 2 }),
    cgroupParent: nastyPath,
    validExitCodes: fc.array(nastyInteger, { maxLength: 2 }),
  }),
  mounts: fc.array(mount, { maxLength: 4 }),
  network: small(2),
  security: small(1),
  secretenv: fc.array(some({ ID: nastyText, name: nastyText, optional: flag }), { maxLength: 2 }),
  cdiDevices: fc.array(some({ name: nastyText, optional: flag }), { maxLength: 1 }),
});

const user = some({ byName: some({ name: nastyText, input: index }), byID: nastyInteger });
const owner = some({ user, group: user });
export const hostileAction = some({
  input: index,
  secondaryInput: index,
  output: index,
  copy: some({
    src: nastyPath,
    dest: nastyPath,
    owner,
    mode: nastyInteger,
    followSymlink: flag,
    dirCopyContents: flag,
    attemptUnpackDockerCompatibility: flag,
    createDestPath: flag,
    allowWildcard: flag,
    timestamp: nastyInteger,
    includePatterns: texts,
    excludePatterns: texts,
    modeStr: nastyText,
    requiredPaths: texts,
  }),
  mkfile: some({
    path: nastyPath,
    mode: nastyInteger,
    data: fc.uint8Array({ maxLength: 20 }),
    owner,
    timestamp: nastyInteger,
  }),
  mkdir: some({ path: nastyPath, mode: nastyInteger, makeParents: flag, owner, timestamp: nastyInteger }),
  rm: some({ path: nastyPath, allowNotFound: flag, allowWildcard: flag }),
  symlink: some({ oldpath: nastyPath, newpath: nastyPath, owner, timestamp: nastyInteger }),
});

const source = fc.record({
  identifier: fc
    .tuple(fc.constantFrom('local', 'docker-image', 'git', 'http', 'https', 'oci-layout', 'x', ''), nastyText)
    .map(([scheme, name]) => `${scheme}://${name}`),
  attrs: map(nastyText),
});

const kinds = fc.oneof(
  { weight: 1, arbitrary: fc.record({ exec: hostileExec }) },
  { weight: 3, arbitrary: fc.record({ source }) },
  { weight: 1, arbitrary: fc.record({ file: some({ actions: fc.array(hostileAction, { maxLength: 3 }) }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ merge: some({ inputs: fc.array(some({ input: index }), { maxLength: 3 }) }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ diff: some({ lower: some({ input: index }), upper: some({ input: index }) }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      build: some({ builder: index, inputs: map(some({ input: index })), attrs: map(nastyText) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      passthrough: some({ id: nastyText, outputs: fc.array(index, { maxLength: 3 }) }),
    }),
  },
);
const platform = some({
  OS: fc.oneof({ weight: 4, arbitrary: fc.constant('linux') }, { weight: 1, arbitrary: nastyText }),
  Architecture: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('amd64', 'arm64') },
    { weight: 1, arbitrary: nastyText },
  ),
  Variant: nastyText,
  OSVersion: nastyText,
  OSFeatures: texts,
});

/** An op whose inputs are given by their place in the definition; places that do not exist stay dangling. */
const opAt = fc.record({
  op: kinds,
  platform: fc.option(platform, { nil: undefined, freq: 1 }),
  filter: fc.option(texts, { nil: undefined }),
  inputs: fc.array(fc.tuple(fc.nat(2), port), { maxLength: 3 }),
});

export const metadata = some({
  ignore_cache: flag,
  description: map(nastyText),
  caps: map(flag),
  progressGroup: some({ id: nastyText, name: nastyText, weak: flag }),
});

export interface HostileDefinition {
  readonly def: readonly Uint8Array[];
  readonly terminal: Uint8Array;
}

/** Ops in a row, the last one being the result; inputs may name ops that come later, themselves or nothing. */
export const hostileOps: fc.Arbitrary<readonly Uint8Array[]> = fc
  .record({ ops: fc.array(opAt, { minLength: 1, maxLength: 6 }), resultIndex: port, extra: fc.nat(3) })
  .map(({ ops, resultIndex, extra }) => {
    const def: Uint8Array[] = [];
    for (const { op, platform: on, filter, inputs } of ops) {
      def.push(
        encode({
          ...op,
          ...(on ? { platform: on } : {}),
          ...(filter ? { constraints: { filter } } : {}),
          inputs: inputs.map(([at, output]) => ({ digest: digestOf(def[at]), index: output })),
        }),
      );
    }
    const terminal = encode({ inputs: [{ digest: digestOf(def.at(-1)), index: resultIndex }] });
    // Duplicates, a result in the middle, no result at all.
    if (extra === 1) return [...def, ...def, terminal];
    if (extra === 2) return [terminal, ...def];
    return [...def, terminal];
  });

const digestOf = (bytes: Uint8Array | undefined): string => sha256(bytes ?? 'nothing');

/** What the codec itself refuses to write (a lone surrogate, a fraction) is no op. */
export function encode(op: object): Uint8Array {
  return pb.Op.encode(op as Init<pb.Op>).finish();
}

/** The same bytes with some of them changed, cut or doubled. */
export const mutated = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      bytes,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(3),
      fc.nat(),
    )
    .map(([original, changes, how, at]) => {
      const copy = Uint8Array.from(original);
      for (const [place, value] of changes) if (copy.length > 0) copy[place % copy.length] = value;
      if (how === 0) return copy.subarray(0, at % (copy.length + 1));
      if (how === 1) return Uint8Array.from([...copy, ...copy.subarray(0, at % (copy.length + 1))]);
      return copy;
    });
