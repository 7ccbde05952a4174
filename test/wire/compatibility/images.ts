/** Images as facts: every manifest, config and layer that an index leads to. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { flatten } from './facts.js';
import { normalise } from './normalise.js';
import { type TimeText, tarFacts } from './trees.js';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: unknown;
  readonly artifactType?: string;
}
interface Manifest extends Descriptor {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** Answers a blob by digest, or undefined when it is not there. */
export type Blobs = (digest: string) => Promise<Uint8Array | undefined>;

/** Reads what `root` leads to; `root` is the parsed index or manifest, `text` its bytes. */
export async function imageFacts(
  text: string,
  blobs: Blobs,
  at: string,
  time: TimeText,
  into: Map<string, string>,
): Promise<void> {
  const { manifests, config, layers, ...others } = JSON.parse(text) as Manifest;
  flatten(others, at, into);
  into.set(`${at} written as`, shape(text));
  for (const [index, child] of (manifests ?? []).entries()) {
    const name = `${at}.manifests[${index}]`;
    describe(child, name, into);
    const blob = await blobs(child.digest);
    // An index of caches names layers.
    if (!/manifest|index/.test(child.mediaType)) await layerFacts(blob, child.mediaType, name, time, into);
    else if (blob) await imageFacts(Buffer.from(blob).toString(), blobs, name, time, into);
    else into.set(`${name} blob`, 'is not there');
  }
  if (config) {
    describe(config, `${at}.config`, into);
    await configFacts(await blobs(config.digest), `${at}.config`, into);
  }
  for (const [index, layer] of (layers ?? []).entries()) {
    const name = `${at}.layers[${index}]`;
    describe(layer, name, into);
    await layerFacts(await blobs(layer.digest), layer.mediaType, name, time, into);
  }
}

function describe({ digest: _, ...about }: Descriptor, at: string, into: Map<string, string>): void {
  flatten({ ...about, size: undefined, data: undefined }, at, into);
}

async function configFacts(
  blob: Uint8Array | undefined,
  at: string,
  into: Map<string, string>,
): Promise<void> {
  if (!blob) {
    into.set(`${at} blob`, 'is not there');
    return;
  }
  const text = Buffer.from(blob).toString();
  flatten(JSON.parse(text), at, into);
  into.set(`${at} written as`, shape(text));
}

/** Tells texts apart that say the same in another order or with other escapes. */
const shape = (json: string): string => short(normalise(json.replace(/"size":\s*\d+/g, '"size":…'), []));

const short = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex').slice(0, 16);

async function layerFacts(
  blob: Uint8Array | undefined,
  mediaType: string,
  at: string,
  time: TimeText,
  into: Map<string, string>,
): Promise<void> {
  if (!blob) {
    into.set(`${at} blob`, 'is not there');
    return;
  }
  const plain = uncompressed(blob, at, into);
  if (!plain || !mediaType.includes('tar')) return;
  const files = new Map<string, string>();
  await tarFacts(plain, at, time, files);
  for (const [fact, about] of files) into.set(fact, about);
  // What holds nothing dated now is the same bytes each time.
  if (![...files.values()].some((about) => about.endsWith(' at now'))) into.set(`${at} bytes`, short(plain));
}

function uncompressed(blob: Uint8Array, at: string, into: Map<string, string>): Uint8Array | undefined {
  const magic = Buffer.from(blob.subarray(0, 4)).toString('hex');
  if (magic.startsWith('1f8b')) {
    into.set(`${at} compression`, 'gzip');
    return gunzipSync(blob);
  }
  if (magic === '28b52ffd') {
    into.set(`${at} compression`, 'zstd');
    return undefined;
  }
  into.set(`${at} compression`, 'none');
  return blob;
}
