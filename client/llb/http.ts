import { type Cap, caps } from './caps.js';
import type { ConstraintOptions } from './constraints.js';
import { source } from './source.js';
import type { State } from './state.js';

export interface HttpOptions extends ConstraintOptions {
  readonly checksum?: string | undefined;
  /** The name of the file in the tree; default: the last part of the URL. */
  readonly filename?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** The secret that holds an Authorization header. */
  readonly authHeaderSecret?: string;
  readonly accept?: string;
  readonly userAgent?: string;
}

/** A tree with one downloaded file. */
export function http(url: string, options: HttpOptions = {}): State {
  const attrs: Record<string, string> = {};
  const needed = new Set<Cap>([caps.sourceHttp]);
  const set = (attr: string, value: string | undefined, cap?: Cap): void => {
    if (!value) return;
    attrs[attr] = value;
    if (cap) needed.add(cap);
  };
  set('http.checksum', options.checksum, caps.sourceHttpChecksum);
  set('http.filename', options.filename);
  set('http.perm', options.mode ? `0${(options.mode & 0o777).toString(8)}` : undefined, caps.sourceHttpPerm);
  set('http.uid', options.uid ? String(options.uid) : undefined, caps.sourceHttpUidGid);
  set('http.gid', options.gid ? String(options.gid) : undefined, caps.sourceHttpUidGid);
  set('http.authheadersecret', options.authHeaderSecret, caps.sourceHttpAuth);
  set('http.header.accept', options.accept, caps.sourceHttpHeader);
  set('http.header.user-agent', options.userAgent, caps.sourceHttpHeader);
  return source(url, attrs, needed, options);
}
