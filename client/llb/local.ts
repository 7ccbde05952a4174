import { goJson } from '../../core/util/go-json.js';
import { type Cap, caps } from './caps.js';
import type { ConstraintOptions } from './constraints.js';
import { source } from './source.js';
import type { State } from './state.js';

export interface LocalOptions extends ConstraintOptions {
  /** The client to ask; without one, the definition's own. */
  readonly sessionId?: string;
  /** Keeps the source apart from equal ones of other definitions; default: `localUniqueId` of {@link marshal}. */
  readonly uniqueId?: string;
  readonly includePatterns?: readonly string[];
  readonly excludePatterns?: readonly string[];
  /** Sends only these paths, and what links among them point to. */
  readonly followPaths?: readonly string[];
  /** Sources with one hint reuse one another's files between builds. */
  readonly sharedKeyHint?: string;
  /** How unchanged files are told; `none` sends all. Not `required`: daemons without the choice ignore it. */
  readonly differ?: { readonly type: 'none' | 'metadata'; readonly required?: boolean };
  /** Sends the file list without content, but for the paths in `except`. */
  readonly metadataOnly?: { readonly except: readonly string[] };
}

/** A directory of the client. */
export function local(name: string, options: LocalOptions = {}): State {
  const attrs: Record<string, string> = {};
  const needed: Cap[] = [];
  const set = (attr: string, value: string | undefined, cap: Cap): void => {
    if (!value) return;
    attrs[attr] = value;
    needed.push(cap);
  };
  set('local.session', options.sessionId, caps.sourceLocalSessionId);
  set('local.includepattern', list(options.includePatterns), caps.sourceLocalIncludePatterns);
  set('local.followpaths', list(options.followPaths), caps.sourceLocalFollowPaths);
  set('local.excludepatterns', list(options.excludePatterns), caps.sourceLocalExcludePatterns);
  set('local.sharedkeyhint', options.sharedKeyHint, caps.sourceLocalSharedKeyHint);
  if (options.differ) {
    attrs['local.differ'] = options.differ.type;
    if (options.differ.required) needed.push(caps.sourceLocalDiffer);
  }
  if (options.metadataOnly) {
    set('local.metadatatransfer', 'true', caps.sourceLocalMetadataTransfer);
    const except = list(options.metadataOnly.except);
    if (except) attrs['local.metadatatransferexclude'] = except;
  }
  if (options.uniqueId && !options.sessionId) set('local.unique', options.uniqueId, caps.sourceLocalUnique);
  return source(`local://${name}`, attrs, [...needed, caps.sourceLocal], options);
}

const list = (values: readonly string[] | undefined): string | undefined =>
  values?.length ? goJson(values) : undefined;
