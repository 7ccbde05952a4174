/**
 * A session is what the daemon may ask of a client while a build runs: its folders, credentials, secrets, and
 * where to put results. A remote client answers over the tunnel (wire facts E1), an embedding program in process;
 * nobody above this port can tell the difference.
 */

import type { Duplex } from 'node:stream';
import type { Digest } from '../util/digest.js';
import type { Platform } from '../util/platform.js';
import type { BlobInfo, ContentProvider, Descriptor } from './content.js';
import type { LayerStack } from './mount.js';
import type { FileStat } from './refs.js';
import type { SourceMeta } from './source.js';
import type { PolicySource, SourceRule } from './source-policy.js';
import { type Token, token } from './token.js';
import type { SpanContext } from './tracing.js';

export interface Session {
  readonly id: string;
  readonly sharedKey: string;
  /** Aborts when the client is gone. */
  readonly dropped: AbortSignal;
  /** Lower-cased `/package.Service/Method`: whether the client serves it. */
  supports(method: string): boolean;
  readonly folders: ClientFolders;
  readonly results: ClientResults;
  readonly auth: ClientAuth;
  readonly secrets: ClientSecrets;
  readonly agents: ClientAgents;
  /** The client's content store named `store` (`local:<dir>`, `oci:<name>`, `export`). */
  content(store: string): ClientContent;
  /** Absent where a client hands over everything as folders. */
  readonly uploads?: ClientUploads;
  readonly policy: ClientPolicy;
}

/** A client that decides on sources itself. BuildKit: sourcepolicy/policysession. */
export interface ClientPolicy {
  check(question: PolicyQuestion, signal: AbortSignal): Promise<PolicyAnswer>;
}
export interface PolicyQuestion {
  readonly source: PolicySource;
  /** As the build asks for it. */
  readonly platform?: Platform;
  /** What an earlier answer wanted to know. */
  readonly meta?: Omit<SourceMeta, 'identifier'>;
}
export type PolicyAnswer =
  | {
      readonly action: SourceRule['action'];
      /** Why not. */
      readonly messages?: readonly string[];
      /** The source to use instead. */
      readonly update?: PolicySource;
    }
  | { readonly ask: PolicyInquiry };
/** Metadata of the source in question, wanted before the decision. */
export interface PolicyInquiry {
  readonly source: PolicySource;
  readonly platform?: Platform;
  readonly logName?: string;
  readonly resolveMode?: string;
  readonly noConfig?: boolean;
  readonly attestationChain?: boolean;
  readonly returnObjects?: boolean;
}

/** A content store of the client: blobs by digest. NotFound when the client has no store of that name. */
export interface ClientContent extends ContentProvider {
  /** undefined when there is no such blob. */
  info(digest: Digest, signal: AbortSignal): Promise<BlobInfo | undefined>;
  /** Brings a blob, unless it is there already: it appears whole and verified, or not at all. */
  write(descriptor: Descriptor, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Says something of a blob that is there. Answers false when the client keeps no labels. */
  label?(digest: Digest, labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<boolean>;
}

/** Reads the client's folders. */
export interface ClientFolders {
  /**
   * Brings the filtered folder to an empty directory, which `dest` makes. Files that equal those of `base` (an
   * earlier result, same `dest` rules) are hard-linked from it instead of sent. When nothing at all differs from
   * `base`, `dest` is not called. NotFound when the client offers no such folder.
   */
  sync(
    request: FolderRequest,
    base: SyncBase | undefined,
    dest: () => Promise<string>,
    watch: SyncWatch,
    signal: AbortSignal,
  ): Promise<SyncResult>;
}
export interface FolderRequest {
  readonly name: string;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly followPaths: readonly string[];
  /** `none` trusts no metadata: everything is sent again (`local.differ`). */
  readonly differ: 'metadata' | 'none';
  /**
   * Only what these patterns match is sent, besides a file `.fsutil-metadata` that tells of everything. Such a transfer
   * takes no base.
   */
  readonly contentOf?: readonly string[];
}
export interface SyncBase {
  readonly dir: string;
  /** As its own transfer answered it. One that cannot be read counts as no base. */
  readonly list: Uint8Array;
}
/** The list of what was brought (see `receivedList`): trees that are equal have equal lists. */
export type SyncResult =
  | { readonly unchanged: true }
  | { readonly unchanged: false; readonly list: Uint8Array };
export interface SyncWatch {
  /** Bytes received so far; `done` once at the end. */
  transferred(bytes: number, done: boolean): void;
}

/** Hands results to the client. `exporter` is the index in the request's exporter list. */
export interface ClientResults {
  /** Writes trees below the exporter's folder. Modes: `copy` merges, `delete` mirrors. */
  writeTree(
    exporter: number,
    trees: readonly ResultTree[],
    options: WriteTreeOptions,
    signal: AbortSignal,
  ): Promise<void>;
  /** Streams one file; it appears whole, or not at all when `data` fails. */
  writeFile(
    exporter: number,
    metadata: Readonly<Record<string, string>>,
    data: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void>;
}
export interface ResultTree {
  readonly stack: LayerStack;
  /** Folder below the destination, for platform splits: `linux_amd64`, or empty. */
  readonly prefix: string;
  /** Further small files (attestations). */
  readonly files: readonly { readonly stat: FileStat; readonly data: Uint8Array }[];
  /**
   * Every modification time becomes this one, in seconds since the epoch: earlier ones too, unlike in layers.
   * BuildKit: exporter/local/fs.go.
   */
  readonly sourceDateEpoch?: number;
}
export interface WriteTreeOptions {
  readonly mode: 'copy' | 'delete';
  readonly onProgress: (bytes: number) => void;
}

/** Registry credentials of the client's user. Wire facts E12. */
export interface ClientAuth {
  /** Empty strings when there are none. */
  credentials(
    host: string,
    signal: AbortSignal,
  ): Promise<{ readonly username: string; readonly secret: string }>;
  /** The client fetches a token itself; undefined when it does not offer that. */
  fetchToken(request: TokenRequest, signal: AbortSignal): Promise<AuthToken | undefined>;
  /**
   * Who the client proves to be at `host`: sessions that answer the same may use each other's tokens. undefined when it
   * proves nothing. Wire facts E12.2.
   */
  identity(host: string, signal: AbortSignal): Promise<string | undefined>;
}
export interface TokenRequest {
  readonly clientId: string;
  readonly host: string;
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
}
export interface AuthToken {
  readonly token: string;
  /** Seconds; 0 when unknown. */
  readonly expiresIn: number;
  /** Seconds since the epoch; 0 when unknown. */
  readonly issuedAt: number;
}

export interface ClientSecrets {
  /** undefined when the client has no such secret. */
  get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** The ssh agents that a client forwards: they sign, and keep the keys to themselves. */
export interface ClientAgents {
  /** NotFound when the client forwards none of this id; the empty id is `default`. */
  check(id: string, signal: AbortSignal): Promise<void>;
  /** Joins a connection to the agent until both directions have ended. The connection is gone then. */
  forward(id: string, connection: Duplex, signal: AbortSignal): Promise<void>;
}
export const DEFAULT_AGENT = 'default';

/** Streams that the client hands in under `http://buildkit-session/<id>`, each of them once. */
export interface ClientUploads {
  readonly offered: boolean;
  pull(url: URL, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The sessions that may serve one piece of work, asked in order; the list may grow while it runs. */
export interface SessionGroup {
  /** Session ids, most preferred first. */
  ids(): readonly string[];
}

export interface Sessions {
  /** Waits up to 5 s for the session to appear (E1.5). */
  get(id: string, signal: AbortSignal): Promise<Session>;
  /** Tries the group's sessions in turn until `use` does not answer NotFound or lose its session. */
  any<T>(group: SessionGroup, use: (session: Session) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Adds an in-process session; disposing the handle drops it. */
  attach(session: Session): Disposable;
  /** Calls of the session are told to be part of `span` until the handle is disposed. Of several builds the last counts. */
  trace(id: string, span: SpanContext | undefined): Disposable;
}
export const Sessions: Token<Sessions> = token('Sessions');
