import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type { ThreadTask } from '../../../core/contracts/threads.js';
import type { Digest } from '../../../core/util/digest.js';

/** Writes what the asker reads from the network to a new file. */
export interface SaveFileArgs {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since the epoch. */
  readonly modTime: number;
}

/** Asks for bytes until the answer is undefined; answers their digest. */
const saveFile: ThreadTask<SaveFileArgs, Digest> = async (args, context) => {
  const hash = createHash('sha256');
  const fd = fs.openSync(args.path, 'wx', 0o600);
  try {
    for (;;) {
      context.throwIfAborted();
      const data = (await context.ask(undefined)) as Uint8Array | undefined;
      if (!data) break;
      hash.update(data);
      for (let at = 0; at < data.length; ) at += fs.writeSync(fd, data, at);
    }
    fs.fchownSync(fd, args.uid, args.gid);
    fs.fchmodSync(fd, args.mode);
    fs.futimesSync(fd, args.modTime / 1000, args.modTime / 1000);
  } finally {
    fs.closeSync(fd);
  }
  return `sha256:${hash.digest('hex')}`;
};
export default saveFile;
