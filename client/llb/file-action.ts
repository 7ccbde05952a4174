import type { CopyOptions, MkdirOptions, MkfileOptions, RmOptions, SymlinkOptions } from './file-options.js';
import type { State } from './state.js';

export type FileStep =
  | { readonly kind: 'mkdir'; readonly path: string; readonly mode: number; readonly options: MkdirOptions }
  | {
      readonly kind: 'mkfile';
      readonly path: string;
      readonly mode: number;
      readonly data: Uint8Array;
      readonly options: MkfileOptions;
    }
  | { readonly kind: 'rm'; readonly path: string; readonly options: RmOptions }
  | {
      readonly kind: 'symlink';
      readonly target: string;
      readonly path: string;
      readonly options: SymlinkOptions;
    }
  | {
      readonly kind: 'copy';
      readonly from: CopySource;
      readonly source: string;
      readonly dest: string;
      readonly options: CopyOptions;
    };

/** A tree to copy from: a state, or what other actions of the same op make of one. */
export type CopySource = State | BoundAction;

/** An action on a given tree; see {@link FileAction.on}. */
export interface BoundAction {
  readonly action: FileAction;
  readonly state: State;
}

/**
 * A chain of file actions, all of them one op: `mkdir('/a', 0o755).copy(src, '/x', '/a/')`.
 * Relative paths start from the working directory of the tree that is acted on.
 */
export class FileAction {
  readonly step: FileStep;
  readonly previous: FileAction | undefined;

  constructor(step: FileStep, previous?: FileAction) {
    this.step = step;
    this.previous = previous;
  }

  mkdir(path: string, mode: number, options: MkdirOptions = {}): FileAction {
    return new FileAction({ kind: 'mkdir', path, mode, options }, this);
  }

  mkfile(path: string, mode: number, data: Uint8Array | string, options: MkfileOptions = {}): FileAction {
    return new FileAction({ kind: 'mkfile', path, mode, data: Buffer.from(data), options }, this);
  }

  rm(path: string, options: RmOptions = {}): FileAction {
    return new FileAction({ kind: 'rm', path, options }, this);
  }

  /** Makes a link at `path` that points to `target`. */
  symlink(target: string, path: string, options: SymlinkOptions = {}): FileAction {
    return new FileAction({ kind: 'symlink', target, path, options }, this);
  }

  copy(from: CopySource, source: string, dest: string, options: CopyOptions = {}): FileAction {
    return new FileAction({ kind: 'copy', from, source, dest, options }, this);
  }

  /** Makes these actions, done on `state`, a source for a copy in the same op. */
  on(state: State): BoundAction {
    return { action: this, state };
  }
}

export const mkdir = (path: string, mode: number, options: MkdirOptions = {}): FileAction =>
  new FileAction({ kind: 'mkdir', path, mode, options });

export const mkfile = (
  path: string,
  mode: number,
  data: Uint8Array | string,
  options: MkfileOptions = {},
): FileAction => new FileAction({ kind: 'mkfile', path, mode, data: Buffer.from(data), options });

export const rm = (path: string, options: RmOptions = {}): FileAction =>
  new FileAction({ kind: 'rm', path, options });

/** Makes a link at `path` that points to `target`. */
export const symlink = (target: string, path: string, options: SymlinkOptions = {}): FileAction =>
  new FileAction({ kind: 'symlink', target, path, options });

export const copy = (from: CopySource, source: string, dest: string, options: CopyOptions = {}): FileAction =>
  new FileAction({ kind: 'copy', from, source, dest, options });
