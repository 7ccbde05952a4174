import { isIP } from 'node:net';
import type { pb } from '../../../proto/index.js';
import {
  cacheSharings,
  contentCaches,
  type ExecBody,
  type ExecMeta,
  type ExecMountSpec,
  hasOutput,
  mountTypes,
  networkModes,
  type ProxySettings,
  type SecretFile,
  securityModes,
} from '../model.js';
import { checkOutputs, indexOrNone, malformed, named, nonEmpty, present } from './fields.js';

export function decodeExec(exec: pb.ExecOp, inputCount: number): ExecBody {
  const mounts = exec.mounts.map((mount, i) => decodeMount(mount, inputCount, `exec.mounts[${i}]`));
  if (mounts.length === 0) throw malformed('exec.mounts', 'missing');
  if (!mounts.some((mount) => mount.dest === '/'))
    throw malformed('exec.mounts', 'none of them is the root /');
  checkOutputs(
    mounts.filter(hasOutput).map(({ output }) => output),
    'exec.mounts',
  );
  return {
    kind: 'exec',
    meta: decodeMeta(present(exec.meta, 'exec.meta')),
    mounts,
    network: named(networkModes, exec.network, 'exec.network'),
    security: named(securityModes, exec.security, 'exec.security'),
    secretEnv: exec.secretenv.map(({ ID, name, optional }, i) => ({
      id: nonEmpty(ID, `exec.secretenv[${i}].ID`),
      name: nonEmpty(name, `exec.secretenv[${i}].name`),
      optional,
    })),
    cdiDevices: exec.cdiDevices.map(({ name, optional }) => ({ name, optional })),
  };
}

function decodeMeta(meta: pb.Meta): ExecMeta {
  if (meta.args.length === 0) throw malformed('exec.meta.args', 'missing');
  return {
    args: meta.args,
    env: meta.env,
    cwd: meta.cwd,
    user: meta.user,
    proxy: meta.proxyEnv && decodeProxy(meta.proxyEnv),
    extraHosts: meta.extraHosts.map(({ Host, IP }, i) => {
      if (isIP(IP) === 0) throw malformed(`exec.meta.extraHosts[${i}].IP`, `"${IP}" is not an address`);
      return { host: Host, ip: IP };
    }),
    hostname: meta.hostname,
    ulimits: meta.ulimit.map(({ Name, Soft, Hard }) => ({
      name: Name,
      soft: BigInt(Soft),
      hard: BigInt(Hard),
    })),
    cgroupParent: meta.cgroupParent,
    removeMountStubsRecursive: meta.removeMountStubsRecursive,
    validExitCodes: meta.validExitCodes,
  };
}

const decodeProxy = (proxy: pb.ProxyEnv): ProxySettings => ({
  http: proxy.httpProxy,
  https: proxy.httpsProxy,
  ftp: proxy.ftpProxy,
  no: proxy.noProxy,
  all: proxy.allProxy,
});

export function decodeMount(mount: pb.Mount, inputCount: number, where: string): ExecMountSpec {
  const type = named(mountTypes, mount.mountType, `${where}.mountType`);
  const dest = nonEmpty(mount.dest, `${where}.dest`);
  if (dest === '/' && type !== 'bind') {
    throw malformed(`${where}.mountType`, `the root cannot be a ${type} mount`);
  }
  if (type === 'secret') nonEmpty(mount.secretOpt?.ID ?? '', `${where}.secretOpt.ID`);
  if (mount.output < -1) throw malformed(`${where}.output`, `invalid index ${mount.output}`);
  return {
    input: indexOrNone(mount.input, inputCount, `${where}.input`),
    selector: mount.selector,
    dest,
    output: mount.output,
    readonly: mount.readonly,
    type,
    tmpfs: mount.TmpfsOpt && { size: BigInt(mount.TmpfsOpt.size) },
    cache: decodeCache(mount, type, where),
    secret: decodeSecret(mount.secretOpt, type === 'secret', `${where}.secretOpt`),
    ssh: decodeSecret(mount.SSHOpt, type === 'ssh', `${where}.SSHOpt`),
    resultId: mount.resultID,
    contentCache: named(contentCaches, mount.contentCache, `${where}.contentCache`),
  };
}

function decodeCache(mount: pb.Mount, type: ExecMountSpec['type'], where: string): ExecMountSpec['cache'] {
  const cache = type === 'cache' ? present(mount.cacheOpt, `${where}.cacheOpt`) : mount.cacheOpt;
  return cache && { id: cache.ID, sharing: named(cacheSharings, cache.sharing, `${where}.cacheOpt.sharing`) };
}

/** A secret or ssh agent; the id of an agent may be empty for the default one. */
function decodeSecret(
  options: pb.SecretOpt | pb.SSHOpt | undefined,
  required: boolean,
  where: string,
): SecretFile | undefined {
  if (!options && !required) return undefined;
  const { ID, uid, gid, mode, optional } = present(options, where);
  return { id: ID, uid, gid, mode, optional };
}
