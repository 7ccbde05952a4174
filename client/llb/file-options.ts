/** Options of file actions. Times are set on what is made; without one it gets the time of the build. */
export interface OwnerOptions {
  /** `user[:group]`, by name or number; names are looked up in the tree that is written to. */
  readonly owner?: string | { readonly uid: number; readonly gid: number } | undefined;
  readonly created?: Date | undefined;
}

export interface MkdirOptions extends OwnerOptions {
  readonly makeParents?: boolean;
}
export type MkfileOptions = OwnerOptions;
export type SymlinkOptions = OwnerOptions;

export interface RmOptions {
  readonly allowNotFound?: boolean;
  readonly allowWildcard?: boolean;
}

export interface CopyOptions extends OwnerOptions {
  /** Permission bits, or a chmod expression such as `u+x`. */
  readonly mode?: number | string | undefined;
  readonly followSymlinks?: boolean;
  /** A source directory stands for what is in it. */
  readonly contentsOnly?: boolean;
  readonly includePatterns?: readonly string[];
  readonly excludePatterns?: readonly string[];
  readonly requiredPaths?: readonly string[];
  /** Unpacks a source that is a tar archive, plain or compressed. */
  readonly unpack?: boolean;
  readonly createDestPath?: boolean;
  readonly allowWildcard?: boolean;
  readonly allowEmptyWildcard?: boolean;
  readonly replaceExisting?: boolean;
}
