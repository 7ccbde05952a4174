/**
 * Who a step runs as, by the tree's own /etc/passwd and /etc/group.
 * BuildKit: executor/oci/user.go and moby/sys/user (first match wins; a number is never looked up as a name).
 */
import fs from 'node:fs';
import { invalid } from '../../../../core/contracts/errors.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { hostPath, resolveInRoot } from '../mounts/resolve-in-root.js';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group is always among them. */
  readonly additionalGids: readonly number[];
}

const MAX_ID = 2 ** 31 - 1;
/** Ids given as numbers for both user and group are taken as they are, up to this. */
const MAX_RAW_ID = 2 ** 32 - 1;

/** `name|uid[:name|gid]`; empty is root. `root` is the tree's folder on this machine. */
export function resolveUser(root: string, user: string): ResolvedUser {
  const [userArg = '', groupArg = ''] = split(user || '0');
  const plain = [numericId(userArg), numericId(groupArg)];
  if (plain[0] !== undefined && plain[1] !== undefined) return withGroups(plain[0], plain[1]);

  const account = findAccount(readTreeFile(root, '/etc/passwd'), userArg);
  if (groupArg !== '') return withGroups(account.uid, findGroup(readTreeFile(root, '/etc/group'), groupArg));
  if (account.name === undefined) return withGroups(account.uid, account.gid);
  const groups = rows(readTreeFile(root, '/etc/group'));
  const member = groups.filter(([, , , list = '']) => list.split(',').includes(account.name!));
  return withGroups(
    account.uid,
    account.gid,
    member.map(([, , gid]) => Number(gid)),
  );
}

const split = (user: string): string[] => {
  const colon = user.indexOf(':');
  return colon < 0 ? [user] : [user.slice(0, colon), user.slice(colon + 1)];
};

const numericId = (text: string): number | undefined => {
  if (text === 'root') return 0;
  return /^\d+$/.test(text) && Number(text) <= MAX_RAW_ID ? Number(text) : undefined;
};

const withGroups = (uid: number, gid: number, groups: readonly number[] = []): ResolvedUser => ({
  uid,
  gid,
  additionalGids: groups.includes(gid) ? groups : [gid, ...groups],
});

interface Account {
  readonly name: string | undefined;
  readonly uid: number;
  readonly gid: number;
}

function findAccount(passwd: string, user: string): Account {
  const isNumber = /^\d+$/.test(user);
  const row = rows(passwd).find(([name, , uid]) => (isNumber ? Number(uid) === Number(user) : name === user));
  if (row) return { name: row[0], uid: inRange(Number(row[2])), gid: inRange(Number(row[3])) };
  if (isNumber) return { name: undefined, uid: inRange(Number(user)), gid: 0 };
  if (user === 'root') return { name: undefined, uid: 0, gid: 0 };
  throw invalid('exec.user', `unable to find user ${user}: no matching entries in passwd file`);
}

function findGroup(groups: string, group: string): number {
  const isNumber = /^\d+$/.test(group);
  const row = rows(groups).find(([name, , gid]) =>
    isNumber ? Number(gid) === Number(group) : name === group,
  );
  if (row) return inRange(Number(row[2]));
  if (isNumber) return inRange(Number(group));
  throw invalid('exec.user', `unable to find group ${group}: no matching entries in group file`);
}

function inRange(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= MAX_ID) return id;
  throw invalid('exec.user', `uids and gids must be in range 0-${MAX_ID}`);
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.split(':'));

/** A tree without the file is a tree without entries. */
function readTreeFile(root: string, path: string): string {
  const resolved = resolveInRoot(root, path);
  if (!resolved.exists) return '';
  let fd: number | undefined;
  try {
    // A pipe planted there must not hold the thread.
    fd = fs.openSync(hostPath(root, resolved.path), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    return fs.fstatSync(fd).isFile() ? fs.readFileSync(fd, 'utf8') : '';
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENXIO')) return '';
    throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
