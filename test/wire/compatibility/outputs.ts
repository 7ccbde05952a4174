/** What a build exported, as facts: folders, tars of trees, images in tars or folders, images in a registry. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { flatten } from './facts.js';
import { type Blobs, imageFacts } from './images.js';
import { folderFacts, type TimeText, tarEntries, tarFacts } from './trees.js';

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

export async function outputFacts(out: string, time: TimeText, into: Map<string, string>): Promise<void> {
  for (const name of existsSync(out) ? readdirSync(out).sort() : []) {
    const path = join(out, name);
    const at = `out/${name}`;
    if (statSync(path).isFile()) await fileFacts(readFileSync(path), at, time, into);
    else if (existsSync(join(path, 'index.json'))) await layoutFacts(path, at, time, into);
    else folderFacts(path, at, time, into);
  }
}

async function fileFacts(data: Buffer, at: string, time: TimeText, into: Map<string, string>): Promise<void> {
  if (at.endsWith('.json')) return flatten(JSON.parse(data.toString()), at, into);
  const files = new Map((await tarEntries(data, time)).map(({ name, data: body }) => [name, body]));
  const index = files.get('index.json');
  if (!index) return tarFacts(data, at, time, into);
  await imageFacts(index.toString(), async (digest) => files.get(blobPath(digest)), at, time, into);
  into.set(`${at} other files`, [...files.keys()].filter((name) => !name.includes('sha256/')).join(' '));
  for (const name of ['oci-layout', 'manifest.json']) {
    const text = files.get(name);
    if (text) flatten(JSON.parse(text.toString()), `${at} ${name}`, into);
  }
}

async function layoutFacts(
  path: string,
  at: string,
  time: TimeText,
  into: Map<string, string>,
): Promise<void> {
  const blobs: Blobs = async (digest) => {
    const file = join(path, blobPath(digest));
    return existsSync(file) ? readFileSync(file) : undefined;
  };
  await imageFacts(readFileSync(join(path, 'index.json'), 'utf8'), blobs, at, time, into);
  into.set(`${at} other files`, readdirSync(path).sort().join(' '));
}

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * A cache of a registry: the types, how many records and layers the config names, and the layers by what is in them, as
 * neither has an order.
 */
export async function cacheFacts(
  ref: string,
  at: string,
  time: TimeText,
  into: Map<string, string>,
): Promise<void> {
  const facts = new Map<string, string>();
  await pushedFacts(ref, at, time, facts);
  const count = (pattern: RegExp): string =>
    String([...facts.keys()].filter((fact) => pattern.test(fact)).length);
  into.set(`${at} records`, count(/\.records\[\d+\]\.digest$/));
  into.set(`${at} results`, count(/\.records\[\d+\]\.layers\[\d+\]\.layer$/));
  into.set(`${at} layers of the config`, count(/config\.layers\[\d+\]\.blob$/));
  const kept = /(content-type|mediaType| compression| order|annotations\.(?!.*(created|uncompressed)).*)$/;
  const told = [...facts]
    .filter(([fact]) => kept.test(fact))
    .map(([fact, value]) => `${fact.slice(at.length).replace(/\[\d+\]/g, '[…]')} = ${value}`);
  into.set(`${at} parts`, told.sort().join('\n'));
}

/** An image of a registry, `host:port/name:tag`. */
export async function pushedFacts(
  ref: string,
  at: string,
  time: TimeText,
  into: Map<string, string>,
): Promise<void> {
  const [, host, name, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(ref) ?? [];
  const get = async (kind: string, id: string): Promise<Response> =>
    fetch(`http://${host}/v2/${name}/${kind}/${id}`, { headers: { accept: MANIFESTS } });
  const root = await get('manifests', tag ?? 'latest');
  if (!root.ok) {
    into.set(at, `HTTP ${root.status}`);
    return;
  }
  into.set(`${at} content-type`, root.headers.get('content-type') ?? '');
  const blobs: Blobs = async (digest) => {
    for (const kind of ['blobs', 'manifests']) {
      const answer = await get(kind, digest);
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    }
    return undefined;
  };
  await imageFacts(await root.text(), blobs, at, time, into);
}
