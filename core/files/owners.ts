/**
 * Who a new file belongs to. Names are looked up in the /etc/passwd and /etc/group of a tree; a name that is not
 * there is root. A user alone also gives the group: the one in passwd, or the same number for a numeric user.
 * BuildKit: solver/llbsolver/ops/user_linux.go.
 */
import fs from 'node:fs';
import { LayerTree } from '../util/tree/layer-tree.js';
import type { Owner } from '../util/tree/metadata.js';
import { resolvePath } from '../util/tree/resolve.js';

/** An id, or a name with the layers of the tree that knows it. */
export type Principal =
  | { readonly id: number }
  | { readonly name: string; readonly layers: readonly string[] };

export interface OwnerLookup {
  readonly user?: Principal;
  readonly group?: Principal;
}

export function findOwner(lookup: OwnerLookup | undefined): Owner | undefined {
  if (!lookup) return undefined;
  const user = lookup.user && findUser(lookup.user);
  const gid = lookup.group && findGroup(lookup.group);
  return { uid: user?.uid ?? 0, gid: gid ?? user?.gid ?? 0 };
}

function findUser(user: Principal): Owner {
  if ('id' in user) return { uid: user.id, gid: user.id };
  const line = entriesOf(user.layers, '/etc/passwd').find(([name]) => name === user.name);
  return { uid: numberAt(line, 2) ?? 0, gid: numberAt(line, 3) ?? 0 };
}

/** undefined when nobody knows the name: then the user's group stays. */
function findGroup(group: Principal): number | undefined {
  if ('id' in group) return group.id;
  return numberAt(
    entriesOf(group.layers, '/etc/group').find(([name]) => name === group.name),
    2,
  );
}

function entriesOf(layers: readonly string[], path: string): readonly (readonly string[])[] {
  const tree = new LayerTree(layers);
  const { node } = resolvePath(tree, path, { followLast: true });
  if (node?.kind !== 'file') return [];
  return fs
    .readFileSync(node.host, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

function numberAt(fields: readonly string[] | undefined, index: number): number | undefined {
  const text = fields?.[index];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
