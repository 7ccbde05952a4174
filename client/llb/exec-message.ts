import type { MountOptions, RunOptions } from './exec-options.js';
import { NONE, type OpMessage } from './op-message.js';
import type { Settings } from './settings.js';

type ExecMessage = NonNullable<OpMessage['exec']>;
type MountMessage = NonNullable<ExecMessage['mounts']>[number];

export const networkModes = { sandbox: 0, host: 1, none: 2 } as const;
export const securityModes = { sandbox: 0, insecure: 1 } as const;
const mountTypes = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;
const sharingModes = { shared: 0, private: 1, locked: 2 } as const;
const contentCacheModes = { default: 0, on: 1, off: 2 } as const;

export function execMeta(
  args: readonly string[],
  settings: Settings,
  { proxy, validExitCodes }: RunOptions,
): NonNullable<ExecMessage['meta']> {
  return {
    args,
    env: Array.from(settings.env, ([key, value]) => `${key}=${value}`),
    cwd: settings.dir,
    user: settings.user,
    hostname: settings.hostname,
    cgroupParent: settings.cgroupParent,
    removeMountStubsRecursive: true,
    validExitCodes: validExitCodes ?? [],
    extraHosts: settings.extraHosts.map(({ host, ip }) => ({ Host: host, IP: ip })),
    ulimit: settings.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    proxyEnv: proxy && proxyMessage(proxy),
  };
}

const proxyMessage = (proxy: NonNullable<RunOptions['proxy']>): Record<string, string> => ({
  httpProxy: proxy.http ?? '',
  httpsProxy: proxy.https ?? '',
  ftpProxy: proxy.ftp ?? '',
  noProxy: proxy.no ?? '',
  allProxy: proxy.all ?? '',
});

export function mountMessage(mount: MountOptions, input: number, output: number): MountMessage {
  return {
    input,
    output,
    dest: mount.target,
    readonly: mount.readonly ?? false,
    selector: mount.selector ?? '',
    contentCache: contentCacheModes[mount.contentCache ?? 'default'],
    mountType: mount.cache ? mountTypes.cache : mount.tmpfs ? mountTypes.tmpfs : mountTypes.bind,
    TmpfsOpt: mount.tmpfs && { size: mount.tmpfs.size ?? 0 },
    cacheOpt: mount.cache && {
      ID: mount.cache.id,
      sharing: sharingModes[mount.cache.sharing ?? 'shared'],
    },
  };
}

/** Secrets and agent sockets are mounts without input; secrets may be variables too, or instead. */
export function secretMessages({ secrets = [], ssh = [] }: RunOptions): {
  readonly mounts: MountMessage[];
  readonly env: NonNullable<ExecMessage['secretenv']>;
} {
  const files = secrets.filter(({ target }) => target !== undefined);
  return {
    env: secrets.flatMap(({ id, env, optional = false }) =>
      env === undefined ? [] : [{ ID: id, name: env, optional }],
    ),
    mounts: [
      ...files.map(({ id, target, uid = 0, gid = 0, mode = 0o400, optional = false }) => ({
        input: NONE,
        dest: target ?? '',
        mountType: mountTypes.secret,
        secretOpt: { ID: id, uid, gid, mode, optional },
      })),
      ...ssh.map(({ id = '', target, uid = 0, gid = 0, mode = 0o600, optional = false }) => ({
        input: NONE,
        dest: target ?? '',
        mountType: mountTypes.ssh,
        SSHOpt: { ID: id, uid, gid, mode, optional },
      })),
    ],
  };
}
