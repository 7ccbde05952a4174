import { getSystemErrorMap } from 'node:util';

/**
 * A failed system call, shaped as Node's own file system errors are: `code` is the errno's name, `syscall`,
 * `path` and `dest` say what was asked. So `error.code === 'ENOENT'` works for both.
 */
export class SystemError extends Error implements NodeJS.ErrnoException {
  override readonly name = 'SystemError';
  readonly code: string;
  /** Negative, as in Node. */
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;

  constructor(errno: number, syscall: string, path?: string, dest?: string) {
    const [code, reason] = getSystemErrorMap().get(-errno) ?? [
      unmapped[errno] ?? `E${errno}`,
      'system error',
    ];
    super(
      `${code}: ${reason}, ${syscall}${path === undefined ? '' : ` '${path}'`}${dest === undefined ? '' : ` -> '${dest}'`}`,
    );
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
    if (dest !== undefined) this.dest = dest;
  }
}

/** Linux errnos that libuv does not name. */
const unmapped: Readonly<Record<number, string>> = {
  15: 'ENOTBLK',
  61: 'ENODATA',
  62: 'ETIME',
  75: 'EOVERFLOW',
};

/** The errno name of any error that carries one (`ENOENT`), ours and Node's. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

export const isErrno = (error: unknown, ...codes: readonly string[]): boolean => {
  const code = errnoOf(error);
  return code !== undefined && codes.includes(code);
};
