import fs from 'node:fs';
import type { FileAction } from '../../contracts/files.js';
import { baseOf, dirOf, rootedPath } from '../../util/gofs/path.js';
import { setTimes } from '../../util/linux/times.js';
import type { LayerWriter } from '../../util/tree/layer-writer.js';
import { type Owner, setOwner, setXattrs } from '../../util/tree/metadata.js';
import { resolvePath } from '../../util/tree/resolve.js';
import { isDirectory, noSuchFile, notDirectory } from '../errors.js';

/**
 * A file that exists gets new content and keeps its mode, owner and attributes (but no capability, as after any
 * write). BuildKit: solver/llbsolver/file/backend.go mkfile.
 */
export function mkfile(
  action: Extract<FileAction, { kind: 'mkfile' }>,
  writer: LayerWriter,
  owner: Owner | undefined,
): void {
  const { tree } = writer;
  const resolved = resolvePath(tree, rootedPath(action.path), { followLast: true });
  const existing = resolved.node;
  if (existing?.kind === 'dir') throw isDirectory('open', resolved.path);
  const parent = resolvePath(tree, dirOf(resolved.path), { followLast: true });
  if (!parent.node) throw noSuchFile('open', resolved.path, tree, parent);
  if (parent.node.kind !== 'dir') throw notDirectory('open', resolved.path);
  const kept = existing && { ...existing.stat, xattrs: existing.xattrs };
  const host = writer.place(parent.node, baseOf(resolved.path), 'file', (target) =>
    fs.writeFileSync(target, action.data, { flag: 'wx', mode: 0o600 }),
  );
  if (owner ?? kept) setOwner(host, (owner ?? kept)!);
  // A change of owner clears set-id bits, a write by root does not.
  fs.chmodSync(host, kept ? kept.mode & (owner ? 0o1777 : 0o7777) : action.mode & 0o777);
  if (kept) {
    const { 'security.capability': _dropped, ...xattrs } = kept.xattrs;
    setXattrs(host, xattrs);
  }
  if (action.timestamp !== undefined) setTimes(host, action.timestamp, action.timestamp);
}
