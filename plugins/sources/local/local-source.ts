/**
 * `local://`: folders of the client. What arrived is kept under `<name>:<hint>:<client's shared key>`; the next
 * transfer of that folder starts from it, so unchanged files are neither sent nor hashed again, and an
 * unchanged folder is the very same ref. BuildKit: source/local/source.go.
 */
import { BuildError, isCanceled } from '../../../core/contracts/errors.js';
import type { Logger } from '../../../core/contracts/logger.js';
import { type Progress, silentProgress } from '../../../core/contracts/progress.js';
import {
  type ImmutableRef,
  type MutableRef,
  type RefOptions,
  type RefStore,
  receivedList,
} from '../../../core/contracts/refs.js';
import type { FolderRequest, Session, Sessions, SyncBase } from '../../../core/contracts/session.js';
import type { OpenSource, Source, SourceContext, SourceRequest } from '../../../core/contracts/source.js';
import { sha256 } from '../../../core/util/digest.js';
import { goJson } from '../../../core/util/go-json.js';
import { type LocalRequest, parseLocalRequest } from './attributes.js';
import { SupersededFolders } from './superseded.js';

export class LocalSource implements Source, AsyncDisposable {
  readonly #sessions: Sessions;
  readonly #superseded: SupersededFolders;

  constructor(sessions: Sessions, logger: Logger) {
    this.#sessions = sessions;
    this.#superseded = new SupersededFolders(logger);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#superseded[Symbol.asyncDispose]();
  }

  open(request: SourceRequest): OpenSource {
    const folder = parseLocalRequest(request);
    return {
      cacheKey: async (_index, context) => ({
        key: sessionKey(folder, context),
        done: true,
        origin: { kind: 'local', name: folder.name },
      }),
      fetch: (context, signal) => this.#fetch(folder, context, signal),
    };
  }

  async #fetch(folder: LocalRequest, context: SourceContext, signal: AbortSignal): Promise<ImmutableRef> {
    const receive = (session: Session): Promise<ImmutableRef> =>
      transfer(folder, session, context, this.#superseded, signal);
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
    ...(folder.contentOf ? { MetadataTransfer: true } : {}),
    ...(folder.contentOf?.length ? { MetadataExceptions: folder.contentOf } : {}),
  });
  return `session:${folder.name}:${sha256(request)}`;
}

async function transfer(
  folder: LocalRequest,
  session: Session,
  { worker, progress }: SourceContext,
  superseded: SupersededFolders,
  signal: AbortSignal,
): Promise<ImmutableRef> {
  const index = `local:${folder.name}:${folder.sharedKeyHint}:${session.sharedKey}${folder.contentOf ? ':metadata' : ''}`;
  const earlier = await worker.refs.find(index);
  const [newest] = earlier;
  let answer: ImmutableRef | undefined;
  try {
    const base = await baseOf(newest, signal);
    const options = { description: `local source for ${folder.name}`, type: 'source.local', index } as const;
    await using dest = new Destination(worker.refs, options, signal);
    const watch = transferBar(progress, `transferring ${folder.name}:`);
    const make = (): Promise<string> => dest.make();
    const result = await session.folders.sync(requestOf(folder), base, make, watch, signal);
    answer = result.unchanged ? newest! : await dest.keep(result.list);
    return answer;
  } finally {
    const others = earlier.filter((ref) => ref !== answer);
    await Promise.all(others.map((ref) => ref[Symbol.asyncDispose]()));
    // Without an answer the newest is still the best that is there.
    if (answer)
      superseded.drop(
        worker.refs,
        others.map(({ id }) => id),
      );
  }
}

/** Where a transfer goes, made when there is something to bring. */
class Destination implements AsyncDisposable {
  readonly #refs: RefStore;
  readonly #options: RefOptions;
  readonly #signal: AbortSignal;
  #ref: MutableRef | undefined;

  constructor(refs: RefStore, options: RefOptions, signal: AbortSignal) {
    this.#refs = refs;
    this.#options = options;
    this.#signal = signal;
  }

  async make(): Promise<string> {
    this.#ref = await this.#refs.create(undefined, this.#options, silentProgress, this.#signal);
    const { layers } = await this.#ref.view(silentProgress, this.#signal);
    return layers[0]!;
  }

  /** The list and the tree go to the disk together. */
  async keep(list: Uint8Array): Promise<ImmutableRef> {
    const dest = this.#ref!;
    const [ref] = await Promise.all([dest.commit(), dest.metadata.set(receivedList, list)]);
    return ref;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ref?.[Symbol.asyncDispose]();
  }
}

const requestOf = (folder: LocalRequest): FolderRequest => ({
  name: folder.name,
  includePatterns: folder.includePatterns ?? [],
  excludePatterns: folder.excludePatterns ?? [],
  followPaths: folder.followPaths ?? [],
  differ: folder.differ,
  ...(folder.contentOf ? { contentOf: folder.contentOf } : {}),
});

async function baseOf(ref: ImmutableRef | undefined, signal: AbortSignal): Promise<SyncBase | undefined> {
  const list = ref?.metadata.get(receivedList);
  if (!ref || !list) return undefined;
  const { layers } = await ref.view(silentProgress, signal);
  return layers.length === 1 ? { dir: layers[0]!, list } : undefined;
}

function transferBar(progress: Progress, id: string): { transferred(bytes: number, done: boolean): void } {
  progress.status(id, { current: 0 });
  return {
    transferred: (bytes, done) =>
      progress.status(id, { current: bytes, ...(done ? { completed: true } : {}) }),
  };
}
