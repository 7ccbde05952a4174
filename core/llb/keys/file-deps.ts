/** What a file op reads of its inputs. Wire facts E5.5. */
import { compareBytes } from '../../util/compare.js';
import { type ContentSelector, dedupePaths, plainSelector } from '../content-selectors.js';
import type { CopyStep, FileBody, FileStep, OwnerRef } from '../model.js';

/**
 * Per input the selectors of what is read of it, undefined where the whole input counts: it is not read at all,
 * or an action changes it, so that everything in it is part of the result.
 */
export function fileDeps(
  body: FileBody,
  inputCount: number,
): readonly (readonly ContentSelector[] | undefined)[] {
  const selectors = Array.from({ length: inputCount }, (): ContentSelector[] => []);
  for (const step of body.actions) {
    for (const [input, selector] of reads(step)) selectors[input]?.push(selector);
  }
  const bases = new Set(body.actions.map((step) => step.input));
  return selectors.map((list, input) => (bases.has(input) || list.length === 0 ? undefined : list));
}

/** Raw paths in the order that the dep's selector digest wants them: descending, for historical reasons. */
export const selectorPaths = (selectors: readonly ContentSelector[]): readonly string[] =>
  selectors
    .map((selector) => selector.path)
    .sort(compareBytes)
    .reverse();

/** Without plain paths that another plain one covers, sorted by path. */
export function contentSelectors(selectors: readonly ContentSelector[]): readonly ContentSelector[] {
  const plain = (followLinks: boolean): readonly ContentSelector[] => {
    const paths = selectors.filter(
      (selector) => !isFiltered(selector) && selector.followLinks === followLinks,
    );
    return dedupePaths(paths.map((selector) => selector.path)).map((path) =>
      plainSelector(path, followLinks),
    );
  };
  return [...plain(false), ...plain(true), ...selectors.filter(isFiltered)].sort((a, b) =>
    compareBytes(a.path, b.path),
  );
}

const isFiltered = (selector: ContentSelector): boolean =>
  selector.wildcard || selector.includePatterns.length > 0 || selector.excludePatterns.length > 0;

function reads({ action, secondaryInput }: FileStep): (readonly [number, ContentSelector])[] {
  if (action.kind === 'rm' || action.kind === 'symlink') return [];
  return [
    ...named(action.owner?.user, '/etc/passwd'),
    ...named(action.owner?.group, '/etc/group'),
    ...(action.kind === 'copy' ? [[secondaryInput, copySelector(action)] as const] : []),
  ];
}

const named = (owner: OwnerRef | undefined, file: string): (readonly [number, ContentSelector])[] =>
  owner?.kind === 'name' ? [[owner.input, plainSelector(file, true)]] : [];

const copySelector = (copy: CopyStep): ContentSelector => ({
  path: copy.src,
  wildcard: copy.allowWildcard && hasWildcards(copy.src),
  followLinks: copy.followSymlink,
  includePatterns: copy.includePatterns,
  excludePatterns: copy.excludePatterns,
  requiredPaths: copy.requiredPaths,
});

/** An unescaped `*`, `?` or `[`. */
const hasWildcards = (path: string): boolean => /^(?:[^\\*?[]|\\.)*[*?[]/s.test(path);
