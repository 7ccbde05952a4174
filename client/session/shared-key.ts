import { resolve } from 'node:path';
import { sha256 } from '../../core/util/digest.js';
import { newId } from '../../core/util/identity.js';

/**
 * What tells a daemon that the folders of two builds are the same: whose they are, and where. It asks for no file whose
 * size and time it knows, so folders with one key that are not the same would be taken for each other.
 */
export function sharedKeyOf(owner: string, folders: ReadonlyMap<string, string>): string {
  const places = [...folders].map(([name, path]) => [name, resolve(path)]).sort();
  return sha256(JSON.stringify([owner, places])).slice('sha256:'.length);
}

/** An owner for programs that have no better one. */
export const thisProcess: string = newId();
