/**
 * LLB capabilities: ids that a definition's metadata may require (wire facts B4.5). A definition that asks for an
 * id not listed here comes from a newer client and is refused; an id listed but not `working` is known, told to
 * clients as disabled, and the op that needs it is refused when it is loaded.
 * BuildKit: solver/pb/caps.go.
 */
import { nearest } from '../util/nearest.js';

export interface Capability {
  readonly id: string;
  readonly working: boolean;
}

/** Ids by prefix; `soruce.http.uidgid` is misspelt on the wire. */
const working = [
  'source.image',
  'source.image.resolvemode',
  'source.image.layerlimit',
  'source.image.checksum',
  'source.imageblob',
  'source.local',
  'source.local.unique',
  'source.local.sessionid',
  'source.local.includepatterns',
  'source.local.followpaths',
  'source.local.excludepatterns',
  'source.local.sharedkeyhint',
  'source.local.differ',
  'source.git',
  'source.git.keepgitdir',
  'source.git.fullurl',
  'source.git.httpauth',
  'source.git.subdir',
  'source.git.checksum',
  'source.git.skipsubmodules',
  'source.git.knownsshhosts',
  'source.git.mountsshsock',
  'source.http',
  'source.http.auth',
  'source.http.checksum',
  'source.http.perm',
  'soruce.http.uidgid',
  'source.http.header',
  'source.ocilayout',
  'source.buildop.llbfilename',
  'exec.meta.base',
  'exec.meta.cgroup.parent',
  'exec.meta.linux.resources',
  'exec.meta.network',
  'exec.meta.proxyenv',
  'exec.meta.security',
  'exec.meta.security.devices.v1',
  'exec.meta.setsdefaultpath',
  'exec.meta.ulimit',
  'exec.meta.removemountstubs.recursive',
  'exec.mount.bind',
  'exec.mount.bind.readwrite-nooutput',
  'exec.mount.cache',
  'exec.mount.cache.sharing',
  'exec.mount.cache.content',
  'exec.mount.selector',
  'exec.mount.tmpfs',
  'exec.mount.tmpfs.size',
  'exec.mount.secret',
  'exec.mount.ssh',
  'exec.cgroup',
  'exec.secretenv',
  'exec.validexitcode',
  'file.base',
  'file.rm.wildcard',
  'file.rm.nofollowsymlink',
  'file.copy.includeexcludepatterns',
  'file.copy.requiredpaths',
  'file.copy.alwaysreplaceexistingdestpaths',
  'file.copy.modestring',
  'file.symlink.create',
  'mergeop',
  'diffop',
  'passthroughop',
  'source.local.metadatatransfer',
  'source.policy',
  'source.policy.session',
  'exec.meta.cdi',
  'constraints',
  'platform',
  'meta.ignorecache',
  'meta.description',
  'meta.exportcache',
  'exporter.image.annotations',
  'exporter.image.attestations',
  'exporter.sourcedateepoch',
  'exporter.multiple',
  'gc.freespacefilter',
  'history.filter',
  'cache.gha',
  'cache.s3',
  'cache.azblob',
] as const;

const known = ['source.git.signatureverify', 'exporter.session'] as const;

export const llbCaps: readonly Capability[] = [
  ...working.map((id) => ({ id, working: true })),
  ...known.map((id) => ({ id, working: false })),
].sort((a, b) => (a.id < b.id ? -1 : 1));

const ids = new Set(llbCaps.map((cap) => cap.id));

/** undefined when `id` is known, else what to say about it. */
export function unknownCap(id: string): { readonly message: string; readonly hint?: string } | undefined {
  if (ids.has(id)) return undefined;
  const near = nearest(id, ids);
  return {
    message: `unknown API capability ${id}`,
    hint: near ? `Did you mean ${near}?` : 'The client is newer than this daemon; update the daemon.',
  };
}
