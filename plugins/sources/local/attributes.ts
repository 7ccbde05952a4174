import type { FolderRequest } from '../../../core/contracts/session.js';
import type { SourceRequest } from '../../../core/contracts/source.js';
import { badAttribute, booleanAttribute, refuseUnknown, stringList } from '../shared/attributes.js';

/** What a `local://` op asks for. BuildKit: source/local/source.go Identifier. */
export interface LocalRequest {
  readonly name: string;
  /** The session that offers the folder; undefined asks any of the build's. */
  readonly sessionId: string | undefined;
  /** undefined and empty differ in the cache key. */
  readonly includePatterns: readonly string[] | undefined;
  readonly excludePatterns: readonly string[] | undefined;
  readonly followPaths: readonly string[] | undefined;
  /** Tells apart folders that clients offer under one name. */
  readonly sharedKeyHint: string;
  readonly differ: FolderRequest['differ'];
  /** Of the rest only metadata is sent; undefined: everything is. */
  readonly contentOf?: readonly string[];
}

const known = [
  'local.session',
  'local.unique',
  'local.includepattern',
  'local.excludepatterns',
  'local.followpaths',
  'local.sharedkeyhint',
  'local.differ',
  'local.metadatatransfer',
  'local.metadatatransferexclude',
];

export function parseLocalRequest({ name, attrs }: SourceRequest): LocalRequest {
  refuseUnknown('local', attrs, known);
  const exceptions = stringList(attrs, 'local.metadatatransferexclude');
  return {
    ...folderOf(name, attrs['local.session']),
    includePatterns: stringList(attrs, 'local.includepattern'),
    excludePatterns: stringList(attrs, 'local.excludepatterns'),
    followPaths: stringList(attrs, 'local.followpaths'),
    sharedKeyHint: attrs['local.sharedkeyhint'] ?? '',
    differ: differ(attrs['local.differ']),
    ...(booleanAttribute(attrs, 'local.metadatatransfer') ? { contentOf: exceptions ?? [] } : {}),
  };
}

/** `local.session` may carry a prefix for the folder's name: `<prefix>:<session id>`. */
function folderOf(
  name: string,
  session: string | undefined,
): { readonly name: string; readonly sessionId: string | undefined } {
  if (!session) return { name, sessionId: undefined };
  const colon = session.indexOf(':');
  if (colon < 0) return { name, sessionId: session };
  return { name: `${session.slice(0, colon)}-${name}`, sessionId: session.slice(colon + 1) || undefined };
}

function differ(text = ''): FolderRequest['differ'] {
  if (text === '' || text === 'metadata') return 'metadata';
  if (text === 'none') return 'none';
  throw badAttribute('local.differ', text, 'none or metadata');
}
