/**
 * `index.json` of an OCI layout: which manifests it holds, by tag. Written anew as a whole, so readers see the one or the
 * other. BuildKit: client/ociindex.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { invalid } from '../../core/contracts/errors.js';
import { type Digest, isDigest } from '../../core/util/digest.js';
import { newId } from '../../core/util/identity.js';
import { isErrno } from '../../core/util/linux/system-error.js';
import { mediaTypes } from '../../core/util/media-types.js';

const refName = 'org.opencontainers.image.ref.name';
const imageName = 'io.containerd.image.name';

const manifest = z.looseObject({
  mediaType: z.string().optional(),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest'),
  size: z.number(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const schema = z.looseObject({ manifests: z.array(manifest).nullish() });
export type IndexedManifest = z.infer<typeof manifest>;

export class LayoutIndex {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Every manifest that it names. */
  async all(): Promise<readonly IndexedManifest[]> {
    return (await this.#read()).manifests;
  }

  /** The manifest of a tag, or of a full image name. */
  async find(tag: string): Promise<IndexedManifest | undefined> {
    const { manifests } = await this.#read();
    return (
      manifests.find(({ annotations }) => annotations?.[imageName] === tag) ??
      manifests.find(({ annotations }) => annotations?.[refName] === tag)
    );
  }

  /** The tag, or the full name with that tag, is this manifest's from now on, and no other's. */
  async put(added: IndexedManifest, tag: string, name?: string): Promise<void> {
    const { manifests, rest } = await this.#read();
    const others = manifests.filter(
      ({ annotations }) => annotations?.[refName] !== tag || (name && annotations[imageName] !== name),
    );
    const named = name === undefined ? {} : { [imageName]: name };
    const tagged = { ...added, annotations: { ...added.annotations, ...named, [refName]: tag } };
    await this.#write({ ...rest, manifests: [...others, tagged] });
  }

  async #read(): Promise<{ readonly manifests: readonly IndexedManifest[]; readonly rest: object }> {
    const path = join(this.#dir, 'index.json');
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      return { manifests: [], rest: { schemaVersion: 2, mediaType: mediaTypes.ociIndex } };
    }
    try {
      const { manifests, ...rest } = schema.parse(JSON.parse(text));
      return { manifests: manifests ?? [], rest };
    } catch (cause) {
      throw invalid('client.layout', `${path} is no index of an OCI layout`, { cause });
    }
  }

  async #write(index: object): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    await writeFile(join(this.#dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const temporary = join(this.#dir, `.index-${newId()}`);
    try {
      await writeFile(temporary, JSON.stringify(index));
      await rename(temporary, join(this.#dir, 'index.json'));
    } finally {
      await rm(temporary, { force: true });
    }
  }
}
