import { syntaxError } from '../located.js';

/** `--chmod`: octal permission bits, or an expression as chmod(1) takes it, which is kept as it is. */
export function copyMode(chmod: string): number | string | undefined {
  if (chmod === '') return undefined;
  if (/^\d/.test(chmod)) {
    const mode = /^[0-7]+$/.test(chmod) ? Number.parseInt(chmod, 8) : Number.POSITIVE_INFINITY;
    if (mode <= 0o7777) return mode;
    throw syntaxError(
      `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
    );
  }
  if (!/^(?:[augo]*(?:[-+=][rwxXstugo]*)+)(?:,[augo]*(?:[-+=][rwxXstugo]*)+)*$/.test(chmod)) {
    throw syntaxError(`invalid chmod parameter: '${chmod}'. it should be octal or symbolic, as in u+x,go-w`);
  }
  return chmod;
}
