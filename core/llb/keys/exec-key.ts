/**
 * Cache-map digest of an exec op: sha256 of Go JSON of the op without what must not matter (proxies, host
 * addresses, mount selectors, ids of cache mounts). Wire facts E5.3, member order E5.16, golden values G1.
 */
import { type Digest, sha256 } from '../../util/digest.js';
import { type GoStruct, goJson, omitEmpty } from '../../util/go-json.js';
import type { Platform } from '../../util/platform.js';
import {
  cacheSharings,
  contentCaches,
  type ExecBody,
  type ExecMeta,
  type ExecMountSpec,
  mountTypes,
  networkModes,
  type SecretFile,
  securityModes,
} from '../model.js';
import { platformMembers } from './platform-key.js';

export const execKey = (body: ExecBody, platform: Platform): Digest => sha256(execKeyText(body, platform));

/** The text that is hashed. */
export const execKeyText = (body: ExecBody, platform: Platform): string =>
  goJson({ Type: 'buildkit.exec.v0', Exec: execJson(body), ...platformMembers(platform) });

const execJson = (body: ExecBody): GoStruct =>
  omitEmpty({
    meta: metaJson(body.meta),
    mounts: isPlainRootOnly(body.mounts) ? undefined : body.mounts.map(mountJson),
    network: networkModes.indexOf(body.network),
    security: securityModes.indexOf(body.security),
    secretenv: body.secretEnv.map(({ id, name, optional }) => omitEmpty({ ID: id, name, optional })),
    cdiDevices: body.cdiDevices.map(({ name, optional }) => omitEmpty({ name, optional })),
  });

/** No addresses of hosts and no proxies: where a build runs must not change its key. */
const metaJson = (meta: ExecMeta): GoStruct =>
  omitEmpty({
    args: meta.args,
    env: meta.env,
    cwd: meta.cwd,
    user: meta.user,
    extraHosts: meta.extraHosts.map(({ host }) => omitEmpty({ Host: host })),
    hostname: meta.hostname,
    ulimit: meta.ulimits.map(({ name, soft, hard }) => omitEmpty({ Name: name, Soft: soft, Hard: hard })),
    cgroupParent: meta.cgroupParent,
    removeMountStubsRecursive: meta.removeMountStubsRecursive,
    validExitCodes: meta.validExitCodes,
  });

/** Old versions left the mounts out of the key; the usual `RUN` keeps their key. */
function isPlainRootOnly(mounts: readonly ExecMountSpec[]): boolean {
  const [root, ...others] = mounts;
  if (root === undefined || others.length > 0) return false;
  const hasOptions = root.cache ?? root.ssh ?? root.secret;
  return root.dest === '/' && !root.readonly && root.type === 'bind' && !hasOptions && root.resultId === '';
}

const mountJson = (mount: ExecMountSpec): GoStruct =>
  omitEmpty({
    input: mount.input,
    dest: mount.dest,
    output: mount.output,
    readonly: mount.readonly,
    mountType: mountTypes.indexOf(mount.type),
    TmpfsOpt: mount.tmpfs && omitEmpty({ size: mount.tmpfs.size }),
    cacheOpt: mount.cache && (isDefaultCacheId(mount) ? cacheJson(mount.cache) : {}),
    secretOpt: mount.secret && secretJson(mount.secret),
    SSHOpt: mount.ssh && secretJson(mount.ssh),
    resultID: mount.resultId,
    contentCache: contentCaches.indexOf(mount.contentCache),
  });

/** Ids that the Dockerfile frontend makes up (`<dest>`, `<namespace>/<dest>`) have always been part of keys. */
function isDefaultCacheId({ cache, dest }: ExecMountSpec): boolean {
  if (cache?.sharing !== 'shared') return false;
  const slash = cache.id.indexOf('/');
  return cache.id === dest || (slash >= 0 && cache.id.slice(slash + 1) === dest);
}

const cacheJson = (cache: NonNullable<ExecMountSpec['cache']>): GoStruct =>
  omitEmpty({ ID: cache.id, sharing: cacheSharings.indexOf(cache.sharing) });

const secretJson = ({ id, uid, gid, mode, optional }: SecretFile): GoStruct =>
  omitEmpty({ ID: id, uid, gid, mode, optional });
