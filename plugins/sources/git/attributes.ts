import { posix } from 'node:path';
import { invalid, unsupported } from '../../../core/contracts/errors.js';
import type { SourceRequest } from '../../../core/contracts/source.js';
import { type Attributes, badAttribute, refuseUnknown } from '../shared/attributes.js';
import { type GitRemote, parseFullUrl, parseIdentifier } from './remote.js';

/** What a `git://` op asks for. BuildKit: source/git/identifier.go. */
export interface GitRequest {
  readonly remote: GitRemote;
  /** A branch, a tag, a full reference, or a whole commit hash; empty for the remote's default branch. */
  readonly ref: string;
  /** As the op writes it, because the cache key does; empty for the root. */
  readonly subdir: string;
  readonly keepGitDir: boolean;
  readonly skipSubmodules: boolean;
  /** The beginning of the commit hash, or of the annotated tag's; empty for any. */
  readonly checksum: string;
  readonly authTokenSecret: string;
  readonly authHeaderSecret: string;
  /** Lines of a known_hosts file; empty trusts every host. */
  readonly knownSshHosts: string;
  /** The id of the client's agent; empty for none. */
  readonly sshSocket: string;
}

const known = [
  'git.keepgitdir',
  'git.fullurl',
  'git.authheadersecret',
  'git.authtokensecret',
  'git.knownsshhosts',
  'git.mountsshsock',
  'git.checksum',
  'git.skipsubmodules',
];
const signatures = [
  'git.sig.pubkey',
  'git.sig.rejectexpired',
  'git.sig.requiresignedtag',
  'git.sig.ignoresignedtag',
];
/** Of BuildKits newer than 0.26. */
const newer = ['git.mtime', 'git.fetchbycommit', 'git.bundle', 'git.checkoutbundle'];

export function parseGitRequest({ name, attrs }: SourceRequest): GitRequest {
  refuseUnsupported(attrs);
  refuseUnknown('git', attrs, known);
  const identifier = parseIdentifier(name);
  const fullUrl = attrs['git.fullurl'];
  const checksum = attrs['git.checksum'] ?? '';
  if (!/^[a-fA-F0-9]*$/.test(checksum)) {
    throw invalid('git.checksum', `invalid checksum ${checksum} for Git URL, expected hex commit hash`);
  }
  return {
    remote: fullUrl ? parseFullUrl(fullUrl) : identifier.remote,
    ref: checkRef(identifier.ref),
    subdir: isRoot(identifier.subdir) ? '' : identifier.subdir,
    keepGitDir: flag(attrs, 'git.keepgitdir'),
    skipSubmodules: flag(attrs, 'git.skipsubmodules'),
    checksum,
    authTokenSecret: attrs['git.authtokensecret'] ?? '',
    authHeaderSecret: attrs['git.authheadersecret'] ?? '',
    knownSshHosts: attrs['git.knownsshhosts'] ?? '',
    sshSocket: attrs['git.mountsshsock'] ?? '',
  };
}

function refuseUnsupported(attrs: Attributes): void {
  const signature = signatures.find((name) => name in attrs);
  if (signature) {
    throw unsupported(
      'git.signature',
      `verifying signatures of git commits (${signature}) is not supported yet`,
      { hint: 'git.checksum pins the commit.' },
    );
  }
  const unknown = newer.find((name) => name in attrs);
  if (unknown) throw unsupported('git.attribute', `the attribute ${unknown} is not supported yet`);
}

/** git reads what begins with a dash as an option, and lists refs by pattern. See git-check-ref-format(1). */
function checkRef(ref: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refs may hold none
  if (/^-|\.\.|[\u0000-\u0020\u007f~^:?*[\\]/.test(ref)) {
    throw invalid('git.ref', `"${ref}" cannot be a git ref`);
  }
  return ref;
}

const isRoot = (subdir: string): boolean => ['/', '.', './'].includes(posix.normalize(subdir));

/** BuildKit: only `true` is true here, unlike in Go's other spellings. */
function flag(attrs: Attributes, name: string): boolean {
  const text = attrs[name] ?? '';
  if (text === 'true') return true;
  if (text === 'false' || text === '') return false;
  throw badAttribute(name, text, 'true or false');
}
