/**
 * What tells a daemon that folders of two builds are the same: this user on this machine, and the working directory.
 * docker buildx keeps the same id in the same file.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256 } from '../../../core/util/digest.js';
import { newId } from '../../../core/util/identity.js';

export async function sharedKey(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const file = join(env.DOCKER_CONFIG ?? join(homedir(), '.docker'), '.buildNodeID');
  return sha256(`${await nodeId(file)}:${process.cwd()}`).slice('sha256:'.length);
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
