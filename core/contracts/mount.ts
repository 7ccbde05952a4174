/** One mount as the mount(2) family takes it; `overlay` options are `lowerdir=`, `upperdir=`, `workdir=`. */
export interface Mount {
  readonly type: 'bind' | 'overlay' | 'tmpfs';
  readonly source: string;
  readonly options: readonly string[];
}

/**
 * A file system tree as a stack of directories on this machine, topmost first, in overlayfs' own terms
 * (character device 0/0 = whiteout, xattr `trusted.overlay.opaque` or `user.overlay.opaque` = `y`). Reading a
 * tree, hashing it, copying from it and writing file ops into it need no mount this way.
 */
export interface LayerStack {
  /** Topmost first. Empty for scratch. */
  readonly layers: readonly string[];
  /** The layer that may be written, if any: always `layers[0]`. */
  readonly writable: boolean;
}
