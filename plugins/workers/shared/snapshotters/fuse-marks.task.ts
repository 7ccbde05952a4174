/**
 * Puts what fuse-overlayfs has written into overlayfs' own terms, which everything that reads layers knows, and which
 * fuse-overlayfs reads as well. It leaves whiteouts as overlayfs does, but says three times that a directory is opaque: by
 * an attribute, if it may, by the file `.wh..wh..opq`, and by a whiteout of `.wh..opq`; and says it of each new directory.
 * No image has names that begin with `.wh.`: archives of layers mean the same by them.
 */
import fs from 'node:fs';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { isWhiteout, makeWhiteout } from '../../../../core/util/linux/nodes.js';
import { setXattr } from '../../../../core/util/linux/xattr.js';
import { type ByteEntry, walkBytes } from '../../../../core/util/tree/walk-bytes.js';
import { copyTimes } from './metadata.js';

export interface FuseMarksArgs {
  readonly dir: string;
  /** Name of the attribute that makes a directory opaque on this machine. */
  readonly opaqueName: string;
}

const OPAQUE_FILE = '.wh..wh..opq';
const OPAQUE_WHITEOUT = '.wh..opq';
const WHITEOUT = '.wh.';
const MAKING = '.wh..wh..making';

export default function settleFuseMarks({ dir, opaqueName }: FuseMarksArgs, context: ThreadContext): void {
  let settled: string | undefined;
  for (const { path, entry } of walkBytes(dir)) {
    context.throwIfAborted();
    if (!entry.isFile() || !entry.name.subarray(0, WHITEOUT.length).equals(Buffer.from(WHITEOUT))) continue;
    const parent = path.subarray(0, path.length - entry.name.length - 1);
    const name = parent.toString('latin1');
    if (name !== settled) settleDirectory(parent, opaqueName);
    settled = name;
  }
}

/** All marks in one directory, whose times stay. Its path may be of bytes that are no text, hence the descriptor. */
function settleDirectory(path: Buffer, opaqueName: string): void {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const dir = `/proc/self/fd/${fd}/.`;
    const before = fs.fstatSync(fd, { bigint: true });
    for (const entry of list(dir)) settleEntry(dir, entry, opaqueName);
    copyTimes(dir, before);
  } finally {
    fs.closeSync(fd);
  }
}

const list = (dir: string): readonly ByteEntry[] =>
  fs.readdirSync(dir, { withFileTypes: true, encoding: 'buffer' }) as unknown as readonly ByteEntry[];

/** Made under another name, for names that are no text. */
function whiteOut(dir: string, name: Buffer): void {
  makeWhiteout(`${dir}/${MAKING}`);
  fs.renameSync(`${dir}/${MAKING}`, Buffer.concat([Buffer.from(`${dir}/`), name]));
}

function settleEntry(dir: string, entry: ByteEntry, opaqueName: string): void {
  const name = entry.name.toString('latin1');
  if (!name.startsWith(WHITEOUT)) return;
  const path = Buffer.concat([Buffer.from(`${dir}/`), entry.name]);
  if (name === OPAQUE_WHITEOUT && isWhiteout(fs.lstatSync(path))) fs.unlinkSync(path);
  if (!entry.isFile()) return;
  if (name === OPAQUE_FILE) setXattr(dir, opaqueName, Buffer.from('y'));
  // A whiteout of a file system that refused the device node for a moment.
  else whiteOut(dir, entry.name.subarray(WHITEOUT.length));
  fs.unlinkSync(path);
}
