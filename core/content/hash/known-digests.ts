/**
 * Digests of a tree that were computed before, by path. Two kinds: a path's own record (a directory's is its header),
 * and the recursive digest of a directory's contents. Wire facts E4.5.
 */
import type { Digest } from '../../util/digest.js';

export type DigestKind = 'record' | 'contents';

const codes = { record: 'r', contents: 'c' } as const;

export class KnownDigests {
  readonly #digests: Map<string, Digest>;
  #fresh = false;

  private constructor(digests: Map<string, Digest>) {
    this.#digests = digests;
  }

  static empty(): KnownDigests {
    return new KnownDigests(new Map());
  }

  /** One line a digest: kind, hex, path as JSON (a file name may hold a line feed). */
  static decode(encoded: Uint8Array): KnownDigests {
    const digests = new Map<string, Digest>();
    for (const line of Buffer.from(encoded).toString().split('\n')) {
      if (line === '') continue;
      const path = line.charAt(65) === '"' ? (JSON.parse(line.slice(65)) as string) : line.slice(65);
      digests.set(line.charAt(0) + path, `sha256:${line.slice(1, 65)}`);
    }
    return new KnownDigests(digests);
  }

  encode(): Uint8Array {
    const lines: string[] = [];
    for (const [key, digest] of this.#digests) {
      const path = key.slice(1);
      const written = path.includes('\n') || path.startsWith('"') ? JSON.stringify(path) : path;
      lines.push(`${key.charAt(0)}${digest.slice('sha256:'.length)}${written}\n`);
    }
    return Buffer.from(lines.join(''));
  }

  /** Something was added since it was made. */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** `path` is absolute inside the tree. */
  get(kind: DigestKind, path: string): Digest | undefined {
    return this.#digests.get(codes[kind] + path);
  }

  set(kind: DigestKind, path: string, digest: Digest): void {
    this.#digests.set(codes[kind] + path, digest);
    this.#fresh = true;
  }
}
