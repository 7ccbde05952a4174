/** What a runtime has to say: one JSON object a line, in the file given as `--log`. */
import fs from 'node:fs';
import { isErrno } from '../../../../core/util/linux/system-error.js';

/** The messages of level error, joined. Empty when there are none. */
export function runtimeErrors(file: string): string {
  const messages = readText(file)
    .split('\n')
    .flatMap((line) => errorIn(line));
  return messages.join('; ');
}

function errorIn(line: string): string[] {
  try {
    const { level, msg } = JSON.parse(line) as { readonly level?: unknown; readonly msg?: unknown };
    return level === 'error' && typeof msg === 'string' ? [msg] : [];
  } catch {
    // Not every runtime keeps to JSON for everything; what does not parse is no error of ours.
    return [];
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
