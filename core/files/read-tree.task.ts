import type { TreeStat } from '../contracts/files.js';
import type { ThreadTask } from '../contracts/threads.js';
import { asFileError } from './errors.js';
import { type FileRange, readDir, readFile, statFile } from './read-tree.js';

export type ReadTreeArgs = { readonly layers: readonly string[]; readonly path: string } & (
  | { readonly kind: 'file'; readonly range: FileRange }
  | { readonly kind: 'dir'; readonly includePattern: string | undefined }
  | { readonly kind: 'stat' }
);
export type ReadTreeResult = Uint8Array | readonly TreeStat[] | TreeStat;

const readTree: ThreadTask<ReadTreeArgs, ReadTreeResult> = (args) => {
  try {
    switch (args.kind) {
      case 'file':
        return readFile(args.layers, args.path, args.range);
      case 'dir':
        return readDir(args.layers, args.path, args.includePattern);
      case 'stat':
        return statFile(args.layers, args.path);
      default:
        return args satisfies never;
    }
  } catch (error) {
    throw asFileError(error, args.path);
  }
};
export default readTree;
