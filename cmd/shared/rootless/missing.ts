/** What an ordinary user lacks for a user namespace with enough ids, and how to get it. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { findProgram } from '../../../core/util/find-program.js';
import { isErrno } from '../../../core/util/linux/system-error.js';

/** A sentence for each thing that is missing. Empty when everything that can be looked up is there. */
export async function missingForRootless(user = os.userInfo()): Promise<readonly string[]> {
  const [tools, ids, kernel] = await Promise.all([missingTools(), missingIds(user), forbidden()]);
  return [...tools, ...ids, ...kernel];
}

async function missingTools(): Promise<readonly string[]> {
  const found = await Promise.all(['newuidmap', 'newgidmap'].map(isInstalled));
  return found.every(Boolean) ? [] : ['newuidmap is not installed: apt-get install uidmap'];
}

async function missingIds({ username, uid }: { username: string; uid: number }): Promise<readonly string[]> {
  const [uids, gids] = await Promise.all([text('/etc/subuid'), text('/etc/subgid')]);
  if (hasRange(uids, username, uid) && hasRange(gids, username, uid)) return [];
  return [
    `${username} has no ids of its own in /etc/subuid and /etc/subgid: ` +
      `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
  ];
}

/** Lines are `name:first:count`, or begin with the number of the user. */
export const hasRange = (text: string, username: string, uid: number): boolean =>
  text.split('\n').some((line) => {
    const [owner, , count] = line.split(':');
    return (owner === username || owner === String(uid)) && Number(count) > 0;
  });

/** Switches of kernels and distributions that forbid user namespaces. */
const switches: readonly { readonly name: string; readonly forbids: string }[] = [
  { name: 'user.max_user_namespaces', forbids: '0' },
  { name: 'kernel.unprivileged_userns_clone', forbids: '0' },
  { name: 'kernel.apparmor_restrict_unprivileged_userns', forbids: '1' },
];

async function forbidden(): Promise<readonly string[]> {
  const values = await Promise.all(
    switches.map(({ name }) => text(`/proc/sys/${name.replaceAll('.', '/')}`)),
  );
  return switches
    .filter(({ forbids }, at) => values[at]!.trim() === forbids)
    .map(({ name, forbids }) => `user namespaces are restricted: sysctl ${name} is ${forbids}`);
}

async function isInstalled(program: string): Promise<boolean> {
  return (await findProgram(program)) !== undefined;
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return '';
    throw error;
  }
}
