/**
 * `local://`: folders of the client. What arrived is kept under `<name>:<hint>:<client's shared key>`; the next
 * transfer of that folder starts from it, so unchanged files are neither sent nor hashed again, and an
 * unchanged folder is the very same ref. BuildKit: source/local/source.go.
 */
import { BuildError, isCanceled } from '../../../core/contracts/errors.js';
import { type Progress, silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { FolderRequest, Session, Sessions, SyncBase } from '../../../core/contracts/session.js';
import type { OpenSource, Source, SourceContext, SourceRequest } from '../../../core/contracts/source.js';
import { sha256 } from '../../../core/util/digest.js';
import { goJson } from '../../../core/util/go-json.js';
import { type LocalRequest, parseLocalRequest } from './attributes.js';
import { decodeTree, encodeTree } from './tree-codec.js';

const treeKey = 'local.tree';

export class LocalSource implements Source {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  open(request: SourceRequest): OpenSource {
    const folder = parseLocalRequest(request);
    return {
      cacheKey: async (_index, context) => ({ key: sessionKey(folder, context), done: true }),
      fetch: (context, signal) => this.#fetch(folder, context, signal),
    };
  }

  async #fetch(folder: LocalRequest, context: SourceContext, signal: AbortSignal): Promise<ImmutableRef> {
    const receive = (session: Session): Promise<ImmutableRef> => transfer(folder, session, context, signal);
    if (folder.sessionId !== undefined) {
      try {
        return await receive(await this.#sessions.get(folder.sessionId, signal));
      } catch (error) {
        if (isCanceled(error) || !isElsewhere(error)) throw error;
        // The build's other sessions may offer the same folder: fall through.
      }
    }
    return this.#sessions.any(context.sessions, receive, signal);
  }
}

/** The session is gone, or does not offer this folder. */
const isElsewhere = (error: unknown): boolean =>
  error instanceof BuildError && ['NotFound', 'Unavailable', 'DeadlineExceeded'].includes(error.grpcCode);

/** Wire facts E5.7. A nil list is `null`, an empty one `[]`. */
function sessionKey(folder: LocalRequest, { sessions }: SourceContext): string {
  const sessionId = folder.sessionId ?? sessions.ids()[0];
  if (sessionId === undefined) {
    throw new BuildError(
      'source.no-session',
      `local://${folder.name}: could not access local files without session`,
      {
        grpcCode: 'FailedPrecondition',
      },
    );
  }
  const request = goJson({
    SessionID: sessionId,
    IncludePatterns: folder.includePatterns ?? null,
    ExcludePatterns: folder.excludePatterns ?? null,
    FollowPaths: folder.followPaths ?? null,
  });
  return `session:${folder.name}:${sha256(request)}`;
}

async function transfer(
  folder: LocalRequest,
  session: Session,
  { worker, progress }: SourceContext,
  signal: AbortSignal,
): Promise<ImmutableRef> {
  const index = `local:${folder.name}:${folder.sharedKeyHint}:${session.sharedKey}`;
  const [newest, ...superseded] = await worker.refs.find(index);
  const earlier = await baseOf(newest, folder, signal);
  let kept = newest;
  try {
    const description = `local source for ${folder.name}`;
    const options = { description, type: 'source.local', index } as const;
    await using dest = await worker.refs.create(undefined, options, silentProgress, signal);
    const { layers } = await dest.view(silentProgress, signal);
    const watch = transferBar(progress, `transferring ${folder.name}:`);
    const { unchanged, tree } = await session.folders.sync(
      requestOf(folder),
      earlier,
      layers[0]!,
      watch,
      signal,
    );
    if (unchanged && newest) {
      kept = undefined;
      return newest;
    }
    await dest.metadata.set(treeKey, encodeTree(tree));
    const received = await dest.commit();
    await worker.hasher.seed(received, tree);
    return received;
  } finally {
    await Promise.all([kept, ...superseded].map((ref) => ref?.[Symbol.asyncDispose]()));
  }
}

const requestOf = (folder: LocalRequest): FolderRequest => ({
  name: folder.name,
  includePatterns: folder.includePatterns ?? [],
  excludePatterns: folder.excludePatterns ?? [],
  followPaths: folder.followPaths ?? [],
  differ: folder.differ,
});

async function baseOf(
  ref: ImmutableRef | undefined,
  folder: LocalRequest,
  signal: AbortSignal,
): Promise<SyncBase | undefined> {
  const tree = folder.differ === 'none' ? undefined : decodeTree(ref?.metadata.get(treeKey));
  if (!ref || !tree) return undefined;
  const { layers } = await ref.view(silentProgress, signal);
  return layers.length === 1 ? { dir: layers[0]!, tree } : undefined;
}

function transferBar(progress: Progress, id: string): { transferred(bytes: number, done: boolean): void } {
  progress.status(id, { current: 0 });
  return {
    transferred: (bytes, done) =>
      progress.status(id, { current: bytes, ...(done ? { completed: true } : {}) }),
  };
}
