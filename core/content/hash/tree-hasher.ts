import { LRUCache } from 'lru-cache';
import type { Progress } from '../../contracts/progress.js';
import {
  type ContentHasher,
  type ContentHashOptions,
  type ImmutableRef,
  receivedList,
} from '../../contracts/refs.js';
import { traceBelow } from '../../contracts/step-span.js';
import type { Threads } from '../../contracts/threads.js';
import type { Tracing } from '../../contracts/tracing.js';
import type { Digest } from '../../util/digest.js';
import { KeyLock } from '../../util/key-lock.js';
import { scratchChecksum } from './checksum.js';
import type { ContentHashArgs, ContentHashResult } from './content-hash.task.js';
import { smallFileDigest } from './small-file.js';

const hashTask = new URL('./content-hash.task.js', import.meta.url);

/** Kept with the ref. The answers are what a rebuild asks for; the digests serve questions that are new. */
const answersKey = 'content-hash.answers.v1';
const digestsKey = 'content-hash.digests.v1';

/** BuildKit keeps as many trees in memory. */
const CACHED_REFS = 20;

/**
 * {@link ContentHasher} for trees of layer directories. A ref never changes, so a question has one answer: answers and
 * the digests behind them are kept in memory for the refs used last and with each ref for good. Files are read in
 * worker threads, each at most once per ref; what was hashed while it arrived is not read at all. A single small file
 * is read here.
 */
export class TreeHasher implements ContentHasher {
  readonly #threads: Threads;
  readonly #tracing: Tracing;
  readonly #answers = new LRUCache<string, Map<string, Digest>>({ max: CACHED_REFS });
  /** Two questions about one tree: the second finds the digests of the first. */
  readonly #turns = new KeyLock<void>();

  constructor(options: { readonly threads: Threads; readonly tracing: Tracing }) {
    this.#threads = options.threads;
    this.#tracing = options.tracing;
  }

  async digest(
    ref: ImmutableRef | undefined,
    path: string,
    options: ContentHashOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<Digest> {
    if (!ref) return scratchChecksum(path);
    const question = JSON.stringify([path, options]);
    const known = this.#answersOf(ref).get(question);
    if (known) return known;
    const answering = async (): Promise<Digest> => {
      signal.throwIfAborted();
      const earlier = this.#answersOf(ref).get(question);
      if (earlier) return earlier;
      const { layers } = await ref.view(progress, signal);
      const small = this.#isFresh(ref) ? smallFileDigest(layers, path, options) : undefined;
      if (small) {
        this.#answersOf(ref).set(question, small);
        return small;
      }
      const answer = await this.#ask(ref, layers, path, options, progress, signal);
      await this.#remember(ref, question, answer);
      return answer;
    };
    return this.#turns.run(ref.id, answering, signal);
  }

  async #ask(
    ref: ImmutableRef,
    layers: readonly string[],
    path: string,
    options: ContentHashOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<Digest> {
    return traceBelow(this.#tracing, 'content hash', { ref: ref.id, path }, progress, async () => {
      const known = ref.metadata.get(digestsKey);
      const received = known ? undefined : ref.metadata.get(receivedList);
      const args: ContentHashArgs = { layers, path, options, known, received };
      const answer = await this.#threads.run<ContentHashResult>(hashTask, args, { signal });
      if (answer.known) await ref.metadata.set(digestsKey, answer.known);
      return answer.digest;
    });
  }

  /** No digest of the tree is known. */
  #isFresh({ metadata }: ImmutableRef): boolean {
    return metadata.get(digestsKey) === undefined && metadata.get(receivedList) === undefined;
  }

  #answersOf(ref: ImmutableRef): Map<string, Digest> {
    const cached = this.#answers.get(ref.id);
    if (cached) return cached;
    const stored = ref.metadata.get(answersKey);
    const entries = stored ? (JSON.parse(Buffer.from(stored).toString()) as [string, Digest][]) : [];
    const answers = new Map(entries);
    this.#answers.set(ref.id, answers);
    return answers;
  }

  async #remember(ref: ImmutableRef, question: string, answer: Digest): Promise<void> {
    const answers = this.#answersOf(ref);
    if (answers.get(question) === answer) return;
    answers.set(question, answer);
    await ref.metadata.set(answersKey, Buffer.from(JSON.stringify([...answers])));
  }
}
