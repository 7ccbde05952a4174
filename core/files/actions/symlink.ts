import fs from 'node:fs';
import type { FileAction } from '../../contracts/files.js';
import { baseOf, dirOf, rootedPath } from '../../util/gofs/path.js';
import { setTimes } from '../../util/linux/times.js';
import type { LayerWriter } from '../../util/tree/layer-writer.js';
import { type Owner, setOwner } from '../../util/tree/metadata.js';
import { resolvePath } from '../../util/tree/resolve.js';
import { fileExists, noSuchFile, notDirectory } from '../errors.js';

/** The target is written as it is given. BuildKit: solver/llbsolver/file/backend.go symlink. */
export function symlink(
  action: Extract<FileAction, { kind: 'symlink' }>,
  writer: LayerWriter,
  owner: Owner | undefined,
): void {
  const { tree } = writer;
  const call = `symlink ${action.oldpath}`;
  const resolved = resolvePath(tree, rootedPath(action.newpath), { followLast: true });
  if (resolved.node) throw fileExists(call, resolved.path);
  const parent = resolvePath(tree, dirOf(resolved.path), { followLast: true });
  if (!parent.node) throw noSuchFile(call, resolved.path, tree, parent);
  if (parent.node.kind !== 'dir') throw notDirectory(call, resolved.path);
  const host = writer.place(parent.node, baseOf(resolved.path), 'symlink', (target) =>
    fs.symlinkSync(action.oldpath, target),
  );
  if (owner) setOwner(host, owner);
  if (action.timestamp !== undefined) setTimes(host, action.timestamp, action.timestamp);
}
