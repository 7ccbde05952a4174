/**
 * `git://`: a commit of a repository as a tree. The remote is asked what a ref stands for; the answer is the cache
 * key, so a repository is fetched from only when nobody has built that commit yet. BuildKit: source/git/source.go.
 */
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { Sessions } from '../../../core/contracts/session.js';
import type {
  GitMeta,
  OpenSource,
  ResolveContext,
  Source,
  SourceContext,
  SourceMeta,
  SourceOrigin,
  SourceRequest,
} from '../../../core/contracts/source.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { KeyLock } from '../../../core/util/key-lock.js';
import { askedOnce } from '../shared/asked-once.js';
import { RecentAnswers } from '../shared/recent-answers.js';
import { type GitRequest, parseGitRequest } from './attributes.js';
import { checkout } from './checkout.js';
import { fetchCommit } from './fetch.js';
import { type GitAccess, openAccess } from './git-access.js';
import { type RunGit, runGit } from './git-process.js';
import { gitKey } from './keys.js';
import { readObjects } from './objects.js';
import { askRemote, matches, metaOfHash, verifyChecksum } from './remote-refs.js';
import { type Repo, SharedRepos } from './shared-repos.js';

export class GitSource implements Source {
  readonly #sessions: Sessions;
  readonly #threads: Threads;
  readonly #run: RunGit;
  readonly #answers = new RecentAnswers<GitMeta>();
  readonly #repos = new SharedRepos();
  readonly #checkouts = new KeyLock<void>();

  constructor(sessions: Sessions, threads: Threads, run: RunGit = runGit) {
    this.#sessions = sessions;
    this.#threads = threads;
    this.#run = run;
  }

  open(source: SourceRequest): OpenSource {
    const request = parseGitRequest(source);
    return askedOnce({
      ask: (context, signal) => this.#resolve(request, context, signal),
      key: (meta) => ({ key: gitKey(request, meta), origin: originOf(request, meta) }),
      fetch: (meta, context, signal) => this.#fetch(request, meta, context, signal),
    });
  }

  async resolve(source: SourceRequest, context: ResolveContext, signal: AbortSignal): Promise<SourceMeta> {
    const request = parseGitRequest(source);
    const identifier = `${source.scheme}://${source.name}`;
    return context.steps.step(context.logName, async (progress) => {
      const inner = { worker: context.worker, sessions: context.sessions, progress };
      const meta = await this.#resolve(request, inner, signal);
      if (context.returnObjects) {
        const read = (repo: Repo): Promise<GitMeta> => readObjects(repo.git, meta, signal);
        return { identifier, git: await this.#withCommit(request, meta, inner, read, signal) };
      }
      // BuildKit: with the git directory kept, the tag itself is what counts.
      return { identifier, git: request.keepGitDir ? { ...meta, commitChecksum: undefined } : meta };
    });
  }

  async #resolve(request: GitRequest, context: SourceContext, signal: AbortSignal): Promise<GitMeta> {
    const known = metaOfHash(request);
    if (known) return known;
    const question = {
      key: `${request.remote.url}#${request.ref}`,
      sessions: context.sessions,
      fits: (meta: GitMeta) => matches(request.checksum, meta.checksum, meta.commitChecksum),
    };
    const meta = await this.#answers.get(question, signal, async (shared) => {
      await using access = await this.#access(request, context, shared);
      return await askRemote(access.git, request, shared);
    });
    verifyChecksum(request, meta);
    return meta;
  }

  /** Equal checkouts are made once, whoever asks for them. */
  #fetch(
    request: GitRequest,
    meta: GitMeta,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<ImmutableRef> {
    const { worker } = context;
    const index = `git-snapshot:${gitKey(request, meta)}:${request.subdir}`;
    return this.#checkouts.run(
      `${worker.profile.id} ${index}`,
      async () => {
        const [found, ...older] = await worker.refs.find(index);
        await Promise.all(older.map((ref) => ref[Symbol.asyncDispose]()));
        if (found) return found;
        const make = (repo: Repo, ref: string): Promise<ImmutableRef> =>
          checkout(
            repo,
            { request, ref, index, worker, threads: this.#threads, format: formatOf(meta) },
            signal,
          );
        return this.#withCommit(request, meta, context, make, signal);
      },
      signal,
    );
  }

  /** Runs `work` on a repository that has the commit, under a ref that stands for it. */
  async #withCommit<T>(
    request: GitRequest,
    meta: GitMeta,
    context: SourceContext,
    work: (repo: Repo, ref: string) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { url } = request.remote;
    await using access = await this.#access(request, context, signal);
    const ref = request.ref || meta.ref.replace(/^refs\/heads\//, '');
    const wanted = { url, ref, checksum: meta.checksum, history: request.keepGitDir };
    return await this.#repos.use(
      { worker: context.worker, url, format: formatOf(meta), git: access.git },
      (repo) => fetchCommit(repo, wanted, signal),
      (repo) => work(repo, ref),
      signal,
    );
  }

  #access(
    request: GitRequest,
    { sessions, progress = silentProgress }: SourceContext,
    signal: AbortSignal,
  ): Promise<GitAccess> {
    const log = (stream: 'stdout' | 'stderr', data: Uint8Array): void => progress.log(stream, data);
    const tools = { run: this.#run, secretUrl: request.remote.url, log };
    return openAccess(request, tools, { sessions: this.#sessions, group: sessions }, signal);
  }
}

function originOf(request: GitRequest, { checksum, commitChecksum }: GitMeta): SourceOrigin {
  const { remote, ref, authTokenSecret, authHeaderSecret, sshSocket } = request;
  return {
    kind: 'git',
    url: ref === '' ? remote.url : `${remote.url}#${ref}`,
    commit: commitChecksum !== undefined && !request.keepGitDir ? commitChecksum : checksum,
    secrets: [authTokenSecret, authHeaderSecret].filter((id) => id !== ''),
    ssh: sshSocket || undefined,
  };
}

const formatOf = ({ checksum }: GitMeta): 'sha1' | 'sha256' => (checksum.length === 64 ? 'sha256' : 'sha1');
