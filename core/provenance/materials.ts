/** What a result was made of, each thing once. BuildKit: solver/llbsolver/provenance/capture.go. */
import type { SourceOrigin } from '../contracts/source.js';
import { compareBytes } from '../util/compare.js';
import type { Digest } from '../util/digest.js';
import { formatImageReference, type ImageReference, parseImageReference } from '../util/image-reference.js';
import { formatPlatform, type Platform } from '../util/platform.js';
import { redactCredentials } from '../util/redact.js';

export interface ImageMaterial {
  readonly ref: string;
  readonly platform: Platform | undefined;
  readonly digest: Digest;
  readonly local: boolean;
}
/** A secret or an agent that was offered to steps. */
export interface Offered {
  readonly id: string;
  readonly optional: boolean;
}

export class Materials {
  readonly #images = new Map<string, ImageMaterial>();
  readonly #git = new Map<string, string>();
  readonly #http = new Map<string, Digest>();
  readonly #locals = new Set<string>();
  readonly #secrets = new Map<string, boolean>();
  readonly #ssh = new Map<string, boolean>();
  /** Some step could reach the network. */
  network = false;
  /** Some step built what nobody saw before. */
  incomplete = false;

  addOrigin(origin: SourceOrigin): void {
    switch (origin.kind) {
      case 'image':
        this.addImage(origin);
        break;
      case 'git':
        addNew(this.#git, redactCredentials(origin.url), origin.commit);
        for (const id of origin.secrets) this.addSecret({ id, optional: true });
        if (origin.ssh !== undefined) this.addSsh({ id: origin.ssh, optional: true });
        break;
      case 'http':
        addNew(this.#http, redactCredentials(origin.url), origin.digest);
        break;
      case 'local':
        this.#locals.add(origin.name);
    }
  }

  addImage({ ref, platform, digest, local }: ImageMaterial): void {
    const key = `${local} ${ref} ${platform ? formatPlatform(platform) : ''}`;
    addNew(this.#images, key, { ref, platform, digest, local });
  }

  /** Needed once, it is needed. */
  addSecret({ id, optional }: Offered): void {
    this.#secrets.set(id, optional && (this.#secrets.get(id) ?? true));
  }

  addSsh({ id, optional }: Offered): void {
    const name = id || 'default';
    this.#ssh.set(name, optional && (this.#ssh.get(name) ?? true));
  }

  /** An image that is there under a tag is not told again by its digest. */
  get images(): readonly ImageMaterial[] {
    const all = [...this.#images.values()].map((image) => ({ image, name: parseImageReference(image.ref) }));
    const tagged = new Set(
      all.filter(({ name }) => name.digest === undefined).map(({ name }) => tagOf(name)),
    );
    return all
      .filter(({ name }) => name.digest === undefined || !tagged.has(tagOf(name)))
      .map(({ image }) => image)
      .sort((a, b) => compareBytes(a.ref, b.ref));
  }

  get git(): readonly { readonly url: string; readonly commit: string }[] {
    return sorted(this.#git).map(([url, commit]) => ({ url, commit }));
  }

  get http(): readonly { readonly url: string; readonly digest: Digest }[] {
    return sorted(this.#http).map(([url, digest]) => ({ url, digest }));
  }

  get locals(): readonly string[] {
    return [...this.#locals].sort(compareBytes);
  }

  get secrets(): readonly Offered[] {
    return sorted(this.#secrets).map(([id, optional]) => ({ id, optional }));
  }

  get ssh(): readonly Offered[] {
    return sorted(this.#ssh).map(([id, optional]) => ({ id, optional }));
  }
}

const tagOf = ({ domain, path, tag = 'latest' }: ImageReference): string =>
  formatImageReference({ domain, path, tag });

function addNew<V>(to: Map<string, V>, key: string, value: V): void {
  if (!to.has(key)) to.set(key, value);
}

const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
  [...map].sort(([a], [b]) => compareBytes(a, b));
