import { invalid } from '../../contracts/errors.js';
import type { FileAction } from '../../contracts/files.js';
import { rootedPath } from '../../util/gofs/path.js';
import type { LayerWriter } from '../../util/tree/layer-writer.js';
import { resolvePath } from '../../util/tree/resolve.js';
import { noSuchFile } from '../errors.js';
import { resolveWildcards } from '../wildcards.js';

/** A link at the end of the path is removed itself. BuildKit: solver/llbsolver/file/backend.go rm. */
export function rm(action: Extract<FileAction, { kind: 'rm' }>, writer: LayerWriter): void {
  const paths = action.allowWildcard ? resolveWildcards(writer.tree, action.path, false) : [action.path];
  for (const path of paths) removePath(path, action.allowNotFound, writer);
}

function removePath(path: string, allowNotFound: boolean, writer: LayerWriter): void {
  const clean = rootedPath(path);
  if (clean === '/') throw invalid('file.rm', 'cannot remove the root of the tree');
  const resolved = resolvePath(writer.tree, clean, { followLast: false });
  if (resolved.node?.parent) writer.remove(resolved.node);
  else if (!allowNotFound) throw noSuchFile('stat', clean, writer.tree, resolved);
}
