import type { FileAction } from '../../contracts/files.js';
import { baseOf, dirOf } from '../../util/gofs/path.js';
import type { LayerWriter } from '../../util/tree/layer-writer.js';
import type { Owner } from '../../util/tree/metadata.js';
import { resolvePath } from '../../util/tree/resolve.js';
import { noSuchFile, notDirectory } from '../errors.js';
import { makeDir, makeDirs } from '../make-dirs.js';

/** What is there already is left as it is. BuildKit: solver/llbsolver/file/backend.go mkdir. */
export function mkdir(
  action: Extract<FileAction, { kind: 'mkdir' }>,
  writer: LayerWriter,
  owner: Owner | undefined,
): void {
  const { tree } = writer;
  const resolved = resolvePath(tree, action.path, { followLast: true });
  const options = { mode: action.mode, owner, time: action.timestamp };
  if (action.makeParents) {
    makeDirs(writer, resolved.path, options);
    return;
  }
  if (resolved.node) return;
  const parent = resolvePath(tree, dirOf(resolved.path), { followLast: true });
  if (!parent.node) throw noSuchFile('mkdir', resolved.path, tree, parent);
  if (parent.node.kind !== 'dir') throw notDirectory('mkdir', resolved.path);
  makeDir(writer, parent.node, baseOf(resolved.path), options);
}
