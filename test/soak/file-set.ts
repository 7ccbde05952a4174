/** The expected content of results: regular files by path, and what layers and merges do to them. */
import { type Digest, sha256 } from '../../core/util/digest.js';

/** Digests of contents by path, which has no slash in front. */
export type FileSet = ReadonlyMap<string, Digest>;

/** What a layer does: undefined removes the file. */
export type Change = ReadonlyMap<string, Digest | undefined>;

/** A tree with the layers that made it, which is what merges and diffs go by. */
export interface LayeredFiles {
  readonly files: FileSet;
  readonly layers: readonly Change[];
}

export const nothing: LayeredFiles = { files: new Map(), layers: [] };

export const contentOf = (text: string): Digest => sha256(Buffer.from(text));

export function applied(files: FileSet, changes: readonly Change[]): FileSet {
  const all = new Map(files);
  for (const change of changes) {
    for (const [path, content] of change) {
      if (content === undefined) all.delete(path);
      else all.set(path, content);
    }
  }
  return all;
}

/** With one layer more. */
export const changed = ({ files, layers }: LayeredFiles, change: Change): LayeredFiles => ({
  files: applied(files, [change]),
  layers: [...layers, change],
});

/** Later ones on top: their layers are laid over the first one's tree. */
export const merged = ([first = nothing, ...rest]: readonly LayeredFiles[]): LayeredFiles => {
  const above = rest.flatMap(({ layers }) => layers);
  return { files: applied(first.files, above), layers: [...first.layers, ...above] };
};

/** What `upper`, which was made of `lower`, has in layers of its own. */
export const between = (lower: LayeredFiles, upper: LayeredFiles): LayeredFiles => {
  const layers = upper.layers.slice(lower.layers.length);
  return { files: applied(new Map(), layers), layers };
};

export const below = (folder: string, files: FileSet): Change =>
  new Map([...files].map(([path, content]) => [`${folder}/${path}`, content]));

/** What is wrong with a result, a line for each file; at most `limit` of them. */
export function differences(expected: FileSet, found: FileSet, limit = 10): readonly string[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort();
  const wrong = paths.filter((path) => expected.get(path) !== found.get(path));
  return wrong
    .slice(0, limit)
    .map((path) => `${path}: ${found.get(path) ?? 'absent'} instead of ${expected.get(path) ?? 'absent'}`);
}
