import { expect } from 'chai';
import fc from 'fast-check';
import { sha256 } from '../../../core/util/digest.js';
import { parseImageReference } from '../../../core/util/image-reference.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { parseConfig, parseRecords } from '../../../plugins/cache/shared/config.js';
import { decodeConfig } from '../../../plugins/cache/shared/decode.js';
import { formatImage, parseImage } from '../../../plugins/frontends/dockerfile/image-config/json.js';
import {
  detectMediaType,
  parseDiffIds,
  parseIndex,
  parseManifest,
} from '../../../plugins/sources/shared/image-documents.js';
import { mutated } from '../../support/hostile/ops.js';
import { isKnown, survives } from '../../support/hostile/refusal.js';
import { hostileSeed, nastyInteger, nastyText, runs } from '../../support/hostile/values.js';

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    nastyText,
    nastyInteger,
    fc.constantFrom(null, true, 1.5, -0),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(nastyText, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const digest = fc.oneof(
  fc.nat(3).map((n) => sha256(`${n}`)),
  fc.constantFrom('sha256:../../../etc/passwd', 'sha256:', ':', 'md5:../x', 'sha512:abc'),
  nastyText,
);
const loose = <T>(shape: Record<string, fc.Arbitrary<T>>): fc.Arbitrary<object> =>
  fc.record(shape, { requiredKeys: [] });
const orJunk = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: json });
const descriptor = orJunk(
  loose<unknown>({
    mediaType: fc.oneof(
      fc.constantFrom('application/vnd.oci.image.manifest.v1+json', 'text/plain'),
      orJunk(nastyText),
    ),
    digest: orJunk(digest),
    size: orJunk(nastyInteger),
    annotations: orJunk(fc.dictionary(nastyText, nastyText, { maxKeys: 2 })),
    platform: orJunk(loose({ os: nastyText, architecture: nastyText, variant: nastyText })),
  }),
);
const list = (of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => orJunk(fc.array(of, { maxLength: 3 }));
const image = loose<unknown>({
  schemaVersion: nastyInteger,
  mediaType: orJunk(nastyText),
  config: descriptor,
  layers: list(descriptor),
  manifests: list(descriptor),
  rootfs: orJunk(loose<unknown>({ type: nastyText, diff_ids: list(digest) })),
  os: orJunk(nastyText),
  architecture: orJunk(nastyText),
  history: list(json),
});
const imageConfig = loose<unknown>({
  os: orJunk(nastyText),
  architecture: orJunk(nastyText),
  config: orJunk(
    loose<unknown>({
      Env: list(nastyText),
      Cmd: list(nastyText),
      Entrypoint: list(nastyText),
      User: orJunk(nastyText),
      WorkingDir: orJunk(nastyText),
      Labels: orJunk(fc.dictionary(nastyText, nastyText, { maxKeys: 2 })),
      ExposedPorts: orJunk(fc.dictionary(nastyText, json, { maxKeys: 2 })),
      OnBuild: list(nastyText),
      Healthcheck: orJunk(loose<unknown>({ Test: list(nastyText), Interval: orJunk(nastyInteger) })),
      Shell: list(nastyText),
    }),
  ),
  rootfs: orJunk(loose<unknown>({ type: nastyText, diff_ids: list(digest) })),
  history: list(json),
});
const small = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -1, max: 4 }) },
  { weight: 1, arbitrary: nastyInteger },
);
const cache = loose<unknown>({
  layers: list(loose<unknown>({ blob: orJunk(digest), parent: orJunk(small) })),
  records: list(
    loose<unknown>({
      digest: orJunk(digest),
      layers: list(loose<unknown>({ layer: orJunk(small), createdAt: orJunk(nastyText) })),
      chains: list(loose<unknown>({ layers: list(small), createdAt: orJunk(nastyText) })),
      inputs: list(list(loose<unknown>({ selector: orJunk(nastyText), link: orJunk(small) }))),
    }),
  ),
});

const text = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Uint8Array> => {
  const bytes = value.map((each) => new Uint8Array(Buffer.from(JSON.stringify(each) ?? '')));
  return fc.oneof({ weight: 4, arbitrary: bytes }, { weight: 1, arbitrary: mutated(bytes) });
};

/** Refused by name, or read. */
function reads(act: () => unknown): void {
  survives(() => {
    try {
      act();
    } catch (error) {
      if (!isKnown(error)) throw new TypeError('it was not refused, but broke', { cause: error });
    }
  });
}

const layerOf = (blob: string) => ({
  descriptor: { mediaType: 'x', digest: blob as `${string}:${string}`, size: 1 },
  diffId: sha256('x'),
  createdAt: 0,
  description: '',
});
const known = {
  layers: new Map([0, 1, 2].map((n) => [sha256(`${n}`), layerOf(sha256(`${n}`))])),
  provider: {} as never,
};
const importCache = (bytes: Uint8Array): unknown => decodeConfig(parseConfig(bytes, 'cache'), known, 'cache');

describe(`hostile documents (HOSTILE_SEED=${hostileSeed})`, function () {
  this.timeout(120_000);
  const seed = hostileSeed;

  it('of images are read or refused', () => {
    fc.assert(
      fc.property(text(image), (bytes) => {
        for (const read of [detectMediaType, parseIndex, parseManifest, parseDiffIds])
          reads(() => read(bytes, 'image'));
      }),
      { numRuns: runs(800), seed },
    );
  });

  it('that configure an image are read or refused', () => {
    fc.assert(
      fc.property(text(imageConfig), (bytes) => reads(() => formatImage(parseImage(bytes)))),
      { numRuns: runs(500), seed },
    );
  });

  it('never name a blob by a path', () => {
    const bytes = Buffer.from(
      JSON.stringify({ config: { digest: 'sha256:../../../etc/passwd', size: 1 }, layers: [] }),
    );
    expect(() => parseManifest(bytes, 'image')).to.throw('not a digest');
  });

  it('of caches are read or refused', () => {
    fc.assert(
      fc.property(text(cache), (bytes) => {
        reads(() => importCache(bytes));
        reads(() => parseRecords(bytes, 'inline'));
      }),
      { numRuns: runs(1000), seed },
    );
  });

  it('of caches may be deep, wide or go in circles', () => {
    const blob = sha256('0');
    const encode = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
    const chain = Array.from({ length: 50_000 }, (_, i) => ({
      digest: sha256(`${i}`),
      ...(i > 0 ? { inputs: [[{ link: i - 1 }]] } : {}),
    }));
    reads(() => importCache(encode({ records: chain })));
    reads(() => importCache(encode({ records: [{ digest: blob, inputs: [[{ link: 0 }]] }] })));
    const circle = Array.from({ length: 1000 }, (_, i) => ({ blob, parent: (i + 1) % 1000 }));
    const record = { digest: blob, layers: [{ layer: 1, createdAt: 'x' }] };
    reads(() => importCache(encode({ layers: circle, records: [record] })));
    // Each of many records stands on all layers: what is read must not be their product.
    const tower = Array.from({ length: 3000 }, (_, i) => ({ blob, parent: i - 1 }));
    const many = Array.from({ length: 3000 }, (_, i) => ({
      digest: sha256(`${i}`),
      layers: [{ layer: 2999 }],
    }));
    reads(() => importCache(encode({ layers: tower, records: many })));
  });

  it('that are nested deeply are refused', () => {
    const deep = Buffer.from(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    for (const read of [detectMediaType, parseManifest, parseDiffIds, parseConfig])
      reads(() => read(deep, 'deep'));
  });

  it('with names and platforms of any kind are read or refused', () => {
    const refused = (act: () => unknown): void => void survives(act);
    fc.assert(
      fc.property(nastyText, nastyText, (a, b) => {
        refused(() => parseImageReference(`${a}/${b}`));
        refused(() => parseImageReference(`${a}:${b}@${a}`));
        refused(() => parsePlatform(`${a}/${b}`));
      }),
      { numRuns: runs(700), seed },
    );
  });
});
