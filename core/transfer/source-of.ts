import type { ResultTree } from '../contracts/session.js';
import type { FolderFilter } from './folder-filter.js';
import { FolderSource } from './folder-source.js';
import { ResultSource } from './result-source.js';
import type { TreeSource } from './tree-source.js';

/** A tree to send, as it is told to a worker thread. */
export type SendTreeArgs =
  | { readonly folder: string; readonly filter: FolderFilter }
  | { readonly results: readonly ResultTree[] };

export const sourceOf = (args: SendTreeArgs): TreeSource =>
  'folder' in args ? new FolderSource(args.folder, args.filter) : new ResultSource(args.results);
