/** The key of folders that are this user's, on this machine. docker buildx keeps the same id in the same file. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { sharedKeyOf } from '../../../client/session/shared-key.js';
import { newId } from '../../../core/util/identity.js';

export async function sharedKey(
  folders: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  return sharedKeyOf(
    await nodeId(join(env.DOCKER_CONFIG ?? join(homedir(), '.docker'), '.buildNodeID')),
    folders,
  );
}

/** An id of this user's own; where none can be kept, builds just do not share what they sent. */
async function nodeId(file: string): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  const id = newId();
  await mkdir(dirname(file), { recursive: true })
    .then(() => writeFile(file, id, { mode: 0o600 }))
    .catch(() => undefined);
  return id;
}
