/** The contracts' containers and processes as LLBBridge carries them. */
import type {
  ContainerMount,
  ContainerProcess,
  ContainerRequest,
} from '../core/contracts/gateway-container.js';
import { type gateway, type Init, pb } from './index.js';

const networks = { sandbox: 0, host: 1, none: 2 } as const;
const sharings = { shared: 0, private: 1, locked: 2 } as const;
const types = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;

export const containerToProto = (
  id: string,
  request: ContainerRequest,
): Init<gateway.NewContainerRequest> => ({
  ContainerID: id,
  Mounts: request.mounts.map(mountToProto),
  Network: networks[request.network ?? 'sandbox'],
  ...(request.platform
    ? {
        platform: {
          OS: request.platform.os,
          Architecture: request.platform.architecture,
          Variant: request.platform.variant ?? '',
        },
      }
    : {}),
  ...(request.constraints ? { constraints: { filter: [...request.constraints] } } : {}),
  extraHosts: (request.extraHosts ?? []).map(({ host, ip }) => ({ Host: host, IP: ip })),
  hostname: request.hostname ?? '',
});

function mountToProto({ dest, readonly, selector, ref, resultId, kind }: ContainerMount): Init<pb.Mount> {
  const common = {
    dest,
    readonly: readonly ?? false,
    selector: selector ?? '',
    resultID: ref?.id ?? resultId ?? '',
    mountType: types[kind?.type ?? 'bind'],
  };
  switch (kind?.type) {
    case undefined:
      return common;
    case 'cache':
      return { ...common, cacheOpt: { ID: kind.id, sharing: sharings[kind.sharing] } };
    case 'tmpfs':
      return { ...common, TmpfsOpt: { size: kind.sizeBytes ?? 0 } };
    case 'secret':
      return { ...common, secretOpt: fileToProto(kind) };
    case 'ssh':
      return { ...common, SSHOpt: fileToProto(kind) };
    default:
      return kind satisfies never;
  }
}

const fileToProto = ({
  id,
  uid = 0,
  gid = 0,
  mode = 0o600,
  optional = false,
}: {
  readonly id: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly optional?: boolean;
}): Init<pb.SecretOpt> => ({
  ID: id,
  uid,
  gid,
  mode,
  optional,
});

/** `fds`: the streams that somebody is at the other end of. */
export const processToProto = (
  containerId: string,
  process: ContainerProcess,
  fds: readonly number[],
): Init<gateway.InitMessage> => ({
  ContainerID: containerId,
  Meta: {
    args: [...process.args],
    env: [...(process.env ?? [])],
    cwd: process.cwd ?? '',
    user: process.user ?? '',
    cgroupParent: process.cgroupParent ?? '',
    removeMountStubsRecursive: process.removeMountStubsRecursive ?? false,
  },
  Fds: [...fds],
  Tty: process.tty ?? false,
  Security: process.security === 'insecure' ? 1 : 0,
  secretenv: (process.secretEnv ?? []).map(({ id, name, optional }) => ({ ID: id, name, optional })),
});

export const processFromProto = (init: gateway.InitMessage): ContainerProcess => {
  const meta = init.Meta ?? pb.Meta.create();
  return {
    args: meta.args,
    env: meta.env,
    cwd: meta.cwd,
    user: meta.user,
    cgroupParent: meta.cgroupParent,
    tty: init.Tty,
    security: init.Security === pb.SecurityMode.INSECURE ? 'insecure' : 'sandbox',
    secretEnv: init.secretenv.map(({ ID, name, optional }) => ({ id: ID, name, optional })),
    removeMountStubsRecursive: meta.removeMountStubsRecursive,
  };
};
