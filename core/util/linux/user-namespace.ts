/** The user namespace of this process: which ids it has, and whether it is the machine's own. */
import { readFileSync } from 'node:fs';

export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

export interface UserNamespace {
  /** Not the machine's own one: then being root means less. */
  readonly nested: boolean;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** All ids but the last, which stands for "none". */
const ALL_IDS = 0xffff_ffff;

/** The text of /proc/<pid>/uid_map or gid_map. */
export const idRanges = (text: string): readonly IdRange[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([inside, outside, count]) =>
      inside === undefined || outside === undefined || count === undefined
        ? []
        : [{ inside, outside, count }],
    );

export const holdsId = (ranges: readonly IdRange[], id: number): boolean =>
  ranges.some(({ inside, count }) => id >= inside && id < inside + count);

/** `0–65536`: for people. */
export const describeRanges = (ranges: readonly IdRange[]): string =>
  ranges
    .map(({ inside, count }) => (count === 1 ? `${inside}` : `${inside}–${inside + count - 1}`))
    .join(', ') || 'none';

/** An owner that the namespace has no ids for: the kernel's own word for it is EINVAL. */
export class UnmappedIdError extends Error {
  override readonly name = 'UnmappedIdError';

  constructor(kind: 'user' | 'group', id: number, ranges: readonly IdRange[]) {
    const file = kind === 'user' ? '/etc/subuid' : '/etc/subgid';
    super(
      `${kind} id ${id} is not among the ids of the user namespace (${describeRanges(ranges)}); ` +
        `give the user that runs the daemon more of them in ${file}`,
    );
  }
}

/** Throws when files here cannot belong to this owner, processes not run as this user. */
export function checkIds(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  { nested, uids, gids }: UserNamespace = userNamespace(),
): void {
  if (!nested) return;
  if (!holdsId(uids, uid)) throw new UnmappedIdError('user', uid, uids);
  if (!holdsId(gids, gid)) throw new UnmappedIdError('group', gid, gids);
}

const isWhole = (ranges: readonly IdRange[]): boolean =>
  ranges.length === 1 && ranges[0]!.inside === 0 && ranges[0]!.outside === 0 && ranges[0]!.count === ALL_IDS;

/** Where the kernel has no user namespaces there are no maps either. */
export const userNamespaceOf = (uidMap: string, gidMap: string): UserNamespace => {
  const uids = idRanges(uidMap);
  return { nested: uids.length > 0 && !isWhole(uids), uids, gids: idRanges(gidMap) };
};

let own: UserNamespace | undefined;

/** Read once: a Node process has threads, and therefore cannot move to another one. */
export function userNamespace(): UserNamespace {
  own ??= userNamespaceOf(readMap('uid'), readMap('gid'));
  return own;
}

function readMap(kind: 'uid' | 'gid'): string {
  try {
    return readFileSync(`/proc/self/${kind}_map`, 'utf8');
  } catch {
    return '';
  }
}
