import fs from 'node:fs/promises';
import path from 'node:path';
import { newId } from '../../../core/util/identity.js';
import { isErrno } from '../../../core/util/linux/system-error.js';

/** The id of the worker that lives in a folder: made once, and the same from then on. */
export async function persistentId(dir: string): Promise<string> {
  const file = path.join(dir, 'workerid');
  try {
    return (await fs.readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    const id = newId();
    await fs.writeFile(file, id, { mode: 0o400 });
    return id;
  }
}
