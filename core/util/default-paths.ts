/**
 * Where things are unless told otherwise: in the machine's folders for root, in those of the XDG base directories for
 * an ordinary user, who is also "root" in a user namespace. BuildKit: util/appdefaults.
 */
import path from 'node:path';
import { userNamespace } from './linux/user-namespace.js';

export interface DefaultPaths {
  readonly root: string;
  readonly socket: string;
  readonly config: string;
  readonly cniConfig: string;
}

export interface Person {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As the process sees itself. */
  readonly uid: number;
  /** As the machine sees it. */
  readonly realUid: number;
  /** In a user namespace that is not the machine's own. */
  readonly nested: boolean;
}

export const systemPaths: DefaultPaths = {
  root: '/var/lib/buildkit',
  socket: '/run/buildkit/buildkitd.sock',
  config: '/etc/buildkit/buildkitd.toml',
  cniConfig: '/etc/buildkit/cni.json',
};

export function currentPerson(): Person {
  const uid = process.geteuid?.() ?? 0;
  const { nested, uids } = userNamespace();
  const range = uids.find(({ inside, count }) => uid >= inside && uid < inside + count);
  return { env: process.env, uid, realUid: range ? range.outside + uid - range.inside : uid, nested };
}

/**
 * In a namespace, `USER` tells an ordinary user's from that of a container whose root was mapped.
 * BuildKit: isRootlessConfig in cmd/buildkitd/main.go.
 */
export const isOrdinaryUser = ({ env, uid, nested }: Person): boolean =>
  uid !== 0 ||
  (nested && (env.ROOTLESSKIT_STATE_DIR !== undefined || !['', 'root'].includes(env.USER ?? '')));

export const defaultPaths = (person = currentPerson(), ordinary = isOrdinaryUser(person)): DefaultPaths =>
  ordinary ? userPaths(person) : systemPaths;

function userPaths({ env, realUid }: Person): DefaultPaths {
  const home = env.HOME || '/';
  const config = path.join(first(env.XDG_CONFIG_HOME) ?? path.join(home, '.config'), 'buildkit');
  return {
    root: path.join(first(env.XDG_DATA_HOME) ?? path.join(home, '.local/share'), 'buildkit'),
    socket: path.join(first(env.XDG_RUNTIME_DIR) ?? `/run/user/${realUid}`, 'buildkit/buildkitd.sock'),
    config: path.join(config, 'buildkitd.toml'),
    cniConfig: path.join(config, 'cni.json'),
  };
}

/** BuildKit takes the first of several. */
const first = (folders: string | undefined): string | undefined => folders?.split(':')[0] || undefined;
