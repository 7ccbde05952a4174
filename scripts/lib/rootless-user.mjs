/** The ordinary user of rootless tests, with ids of its own for user namespaces. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const rootlessUser = 'buildkit-rootless';

/** Makes the user unless there is one; answers its ids. Needs root. */
export function ensureRootlessUser() {
  const found = entryOf(rootlessUser);
  if (!found) {
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/bin/sh', rootlessUser]);
  }
  for (const [file, flag] of [
    ['/etc/subuid', '--add-subuids'],
    ['/etc/subgid', '--add-subgids'],
  ]) {
    const text = readText(file);
    if (text.split('\n').some((line) => line.startsWith(`${rootlessUser}:`))) continue;
    const first = firstFree(text);
    execFileSync('usermod', [flag, `${first}-${first + COUNT - 1}`, rootlessUser]);
  }
  const [, , uid, gid] = found ?? entryOf(rootlessUser);
  return { name: rootlessUser, uid: Number(uid), gid: Number(gid) };
}

/** What images expect to be there. */
const COUNT = 65536;
const FIRST = 100000;

/** Behind all ranges that are taken. */
const firstFree = (text) =>
  text
    .split('\n')
    .map((line) => line.split(':').map(Number))
    .reduce((free, [, start = 0, count = 0]) => Math.max(free, start + count || 0), FIRST);

const entryOf = (name) =>
  readText('/etc/passwd')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
