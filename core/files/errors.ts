/** Errors of file operations, worded as the Go runtime words them: clients of the gateway match on that. */
import { BuildError, invalid, notFound } from '../contracts/errors.js';
import { errnoOf } from '../util/linux/system-error.js';
import { nearest } from '../util/nearest.js';
import { PatternError } from '../util/patterns/pattern-error.js';
import { TarError } from '../util/tar/tar-reader.js';
import type { LayerTree } from '../util/tree/layer-tree.js';
import type { Resolved } from '../util/tree/resolve.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EEXIST: 'file exists',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  ENAMETOOLONG: 'file name too long',
};

/** `lstat /app/maim.go: no such file or directory`, with the name that was probably meant. */
export function noSuchFile(call: string, path: string, tree?: LayerTree, resolved?: Resolved): BuildError {
  const hint = tree && resolved ? hintFor(tree, resolved) : undefined;
  return notFound('file.not-found', `${call} ${path}: ${reasons.ENOENT}`, hint ? { hint } : {});
}

export const notDirectory = (call: string, path: string): BuildError =>
  invalid('file.not-a-directory', `${call} ${path}: ${reasons.ENOTDIR}`);

export const isDirectory = (call: string, path: string): BuildError =>
  invalid('file.is-a-directory', `${call} ${path}: ${reasons.EISDIR}`);

export const fileExists = (call: string, path: string): BuildError =>
  new BuildError('file.exists', `${call} ${path}: ${reasons.EEXIST}`, { grpcCode: 'AlreadyExists' });

/** A failed system call told without host paths, and what is wrong with the caller's input; other errors pass. */
export function asFileError(error: unknown, path: string): unknown {
  if (error instanceof PatternError) return invalid('file.pattern', error.message, { cause: error });
  if (error instanceof TarError) return invalid('file.archive', error.message, { cause: error });
  const code = errnoOf(error);
  if (error instanceof BuildError || code === undefined) return error;
  const call = (error as NodeJS.ErrnoException).syscall ?? 'access';
  return new BuildError('file.failed', `${call} ${path}: ${reasons[code] ?? code}`, { cause: error });
}

/** Names what is there, at the first part of the path that is not. */
export function hintFor(tree: LayerTree, resolved: Resolved): string | undefined {
  const dir = resolved.nearest;
  if (dir.kind !== 'dir') return `${dir.path} is no directory.`;
  const wanted = resolved.path.slice(dir.path === '/' ? 1 : dir.path.length + 1).split('/')[0] ?? '';
  const found = nearest(
    wanted,
    tree.children(dir).map((child) => child.name),
  );
  return found === undefined ? undefined : `Did you mean ${dir.path === '/' ? '' : dir.path}/${found}?`;
}
