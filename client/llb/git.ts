import { joinPath } from '../../core/util/gofs/path.js';
import { type Cap, caps } from './caps.js';
import type { ConstraintOptions } from './constraints.js';
import { source } from './source.js';
import type { State } from './state.js';

export interface GitOptions extends ConstraintOptions {
  /** A branch, tag or commit; default: the remote's HEAD. */
  readonly ref?: string;
  readonly subdir?: string;
  readonly keepGitDir?: boolean;
  /** The commit that the ref must be. */
  readonly checksum?: string;
  readonly skipSubmodules?: boolean;
  readonly authTokenSecret?: string;
  readonly authHeaderSecret?: string;
  /** For ssh remotes: lines of a known_hosts file. Without them the daemon decides whom to trust. */
  readonly knownSshHosts?: string;
  readonly sshSocket?: string;
}

/** A checkout of a git repository: `https://…`, `ssh://…`, `git@host:path`; without a scheme, https is meant. */
export function git(remote: string, options: GitOptions = {}): State {
  const { url, host, path, ssh } = parseRemote(remote);
  const attrs: Record<string, string> = {};
  const needed = new Set<Cap>([caps.sourceGit, caps.sourceGitFullUrl]);
  const set = (attr: string, value: string | undefined, cap?: Cap): void => {
    if (!value) return;
    attrs[attr] = value;
    if (cap) needed.add(cap);
  };
  set('git.fullurl', url);
  set('git.keepgitdir', options.keepGitDir ? 'true' : undefined, caps.sourceGitKeepDir);
  set('git.authtokensecret', options.authTokenSecret ?? 'GIT_AUTH_TOKEN');
  set('git.authheadersecret', options.authHeaderSecret ?? 'GIT_AUTH_HEADER');
  if (options.authTokenSecret || options.authHeaderSecret) needed.add(caps.sourceGitHttpAuth);
  if (ssh) {
    set('git.knownsshhosts', options.knownSshHosts && `${options.knownSshHosts.replace(/\n$/, '')}\n`);
    needed.add(caps.sourceGitKnownSshHosts);
    set('git.mountsshsock', options.sshSocket ?? 'default', caps.sourceGitMountSshSock);
  }
  set('git.checksum', options.checksum, caps.sourceGitChecksum);
  set('git.skipsubmodules', options.skipSubmodules ? 'true' : undefined, caps.sourceGitSkipSubmodules);
  const { ref = '', subdir = '' } = options;
  const fragment = ref || subdir ? `#${ref}${subdir ? `:${subdir}` : ''}` : '';
  return source(`git://${host}${joinPath('/', path)}${fragment}`, attrs, needed, options);
}

interface Remote {
  readonly url: string;
  readonly host: string;
  readonly path: string;
  readonly ssh: boolean;
}

function parseRemote(remote: string): Remote {
  const scp = /^([a-zA-Z0-9-_]+@)([a-zA-Z0-9-.]+):(.*)$/.exec(remote);
  const hasScheme = /^[a-zA-Z0-9]+:\/\//.test(remote);
  if (scp && !hasScheme) return { url: remote, host: scp[2]!, path: scp[3]!, ssh: true };
  const url = hasScheme ? remote : `https://${remote}`;
  const parsed = /^([a-zA-Z0-9]+):\/\/(?:[^/@]*@)?([^/]*)(\/[^#?]*)?$/.exec(url);
  if (!parsed) throw new Error(`"${remote}" is not a git remote: give ref and subdir as options`);
  return { url, host: parsed[2]!, path: unescaped(parsed[3] ?? ''), ssh: parsed[1]!.toLowerCase() === 'ssh' };
}

/** The identifier has the path as it is; what cannot be read stays as it is written. */
function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
