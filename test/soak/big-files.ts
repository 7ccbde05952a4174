/**
 * Files of some megabytes, so that a cache of a gigabyte fills up: `yes WORD | head -c BYTES`. A shell does not tell that
 * `yes` was killed, but the file is too short then.
 */
import { type Digest, sha256 } from '../../core/util/digest.js';

export const bigFileCommand = (word: string, bytes: number, path: string): string =>
  `yes ${word} | head -c ${bytes} >${path} && test "$(wc -c <${path})" -eq ${bytes}`;

export const bigFileContent = (word: string, bytes: number): Digest =>
  sha256(Buffer.alloc(bytes, `${word}\n`));
