/** Reads what exporters made back into {@link FileSet}s: folders, tars, OCI archives, images in a registry. */
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { type Digest, sha256 } from '../../core/util/digest.js';
import type { FileSet } from './file-set.js';

export async function filesOfFolder(dir: string): Promise<FileSet> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (path) => [path.slice(dir.length + 1), sha256(await readFile(path))] as const),
    ),
  );
}

export async function filesOfTar(path: string): Promise<FileSet> {
  const files = new Map<string, Digest>();
  for await (const { name, data } of entriesOf(createReadStream(path))) files.set(name, sha256(data));
  return files;
}

export async function filesOfOciArchive(path: string): Promise<FileSet> {
  const members = new Map<string, Buffer>();
  for await (const { name, data } of entriesOf(createReadStream(path))) members.set(name, data);
  const [top] = jsonOf<Index>(members.get('index.json')!).manifests;
  return filesOfImage(top!.digest, async (digest) => {
    const blob = members.get(`blobs/${digest.replace(':', '/')}`);
    if (!blob) throw new Error(`the archive has no blob ${digest}`);
    return blob;
  });
}

export async function filesOfPushed(registry: string, name: string, tag: string): Promise<FileSet> {
  const get = async (path: string): Promise<Buffer> => {
    const answer = await fetch(`http://${registry}/v2/${name}/${path}`, { headers: { accept: accepted } });
    if (!answer.ok) throw new Error(`the registry answered ${answer.status} for ${name}/${path}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const top = await get(`manifests/${tag}`);
  return filesOfImage(sha256(top), async (digest, isManifest) =>
    digest === sha256(top) ? top : get(`${isManifest ? 'manifests' : 'blobs'}/${digest}`),
  );
}

interface Named {
  readonly digest: Digest;
}
interface Index {
  readonly manifests: readonly (Named & { readonly platform?: { readonly os?: string } })[];
}
interface Manifest {
  readonly layers: readonly Named[];
}

const accepted = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

type ReadBlob = (digest: Digest, isManifest: boolean) => Promise<Buffer>;

async function filesOfImage(top: Digest, read: ReadBlob): Promise<FileSet> {
  let manifest = jsonOf<Partial<Index & Manifest>>(await read(top, true));
  const image = manifest.manifests?.find(({ platform }) => platform?.os !== 'unknown');
  if (image) manifest = jsonOf(await read(image.digest, true));
  const files = new Map<string, Digest>();
  for (const { digest } of manifest.layers ?? []) await applyLayer(files, await read(digest, false));
  return files;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

async function applyLayer(files: Map<string, Digest>, blob: Buffer): Promise<void> {
  const tar = blob.readUInt16BE(0) === 0x1f8b ? gunzipSync(blob) : blob;
  for await (const { name, data } of entriesOf(Readable.from([tar]))) {
    const slash = name.lastIndexOf('/') + 1;
    const [dir, base] = [name.slice(0, slash), name.slice(slash)];
    if (base === OPAQUE) removeBelow(files, dir);
    else if (base.startsWith(WHITEOUT)) {
      const gone = dir + base.slice(WHITEOUT.length);
      files.delete(gone);
      removeBelow(files, `${gone}/`);
    } else files.set(name, sha256(data));
  }
}

function removeBelow(files: Map<string, Digest>, dir: string): void {
  for (const path of [...files.keys()]) if (path.startsWith(dir)) files.delete(path);
}

/** Its files; other entries are passed over. A hard link has the content of the file that it names. */
async function* entriesOf(stream: Readable): AsyncIterable<{ readonly name: string; readonly data: Buffer }> {
  const contents = new Map<string, Buffer>();
  const plain = (name: string): string => name.replace(/^\.?\//, '');
  for await (const entry of stream.pipe(extract())) {
    const { type, linkname } = entry.header;
    const name = plain(entry.header.name);
    const data = await buffer(entry);
    if (type === 'file') {
      contents.set(name, data);
      yield { name, data };
    } else if (type === 'link') {
      const linked = contents.get(plain(linkname ?? ''));
      if (!linked)
        throw new Error(`${name} is a link to ${linkname}, which the archive does not have before`);
      yield { name, data: linked };
    }
  }
}

const jsonOf = <T>(data: Buffer): T => JSON.parse(data.toString()) as T;
