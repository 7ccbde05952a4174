/** Extended attributes of the path itself: symbolic links are never followed. */
import { bind, check } from './libc.js';
import { isErrno } from './system-error.js';

const cGet = bind('int64 lgetxattr(const char *path, const char *name, void *value, size_t size)');
const cSet = bind(
  'int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
);
const cList = bind('int64 llistxattr(const char *path, void *names, size_t size)');
const cRemove = bind('int lremovexattr(const char *path, const char *name)');

/** The kernel's limit for a value and for a list of names. */
const MAX_SIZE = 65536;
/** One per thread; results are copied out. Calls are synchronous, so nobody else can be in it. */
let scratch: Buffer | undefined;
const buffer = (): Buffer => {
  scratch ??= Buffer.allocUnsafeSlow(MAX_SIZE);
  return scratch;
};

/** undefined when there is no such attribute, or the file system has none at all. */
export function getXattr(path: string, name: string): Uint8Array | undefined {
  const into = buffer();
  try {
    const size = check(cGet(path, name, into, MAX_SIZE), 'lgetxattr', path);
    return new Uint8Array(into.subarray(0, size));
  } catch (error) {
    if (isErrno(error, 'ENODATA', 'ENOTSUP', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

export function setXattr(path: string, name: string, value: Uint8Array): void {
  check(cSet(path, name, value, value.byteLength, 0), `lsetxattr ${name}`, path);
}

/** Names in the file system's order; empty where it has no attributes. */
export function listXattrs(path: string): readonly string[] {
  const into = buffer();
  try {
    const size = check(cList(path, into, MAX_SIZE), 'llistxattr', path);
    if (size === 0) return [];
    return into.toString('utf8', 0, size - 1).split('\0');
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP')) return [];
    throw error;
  }
}

/** Removing what is not there is no error. */
export function removeXattr(path: string, name: string): void {
  try {
    check(cRemove(path, name), `lremovexattr ${name}`, path);
  } catch (error) {
    if (!isErrno(error, 'ENODATA')) throw error;
  }
}
