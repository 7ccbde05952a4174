/**
 * What the engine remembers of its builds. BuildKit: solver/llbsolver/history.go.
 *
 * 1. No build waits for its record: it is written once the build has been answered. Whoever asks for a build whose
 *    record is being written waits for it, so that nobody sees the gap.
 * 2. A record that cannot be written is a warning in the daemon's log; the build is none the worse.
 */
import { control } from '../../proto/index.js';
import { statusOf } from '../../proto/status.js';
import { timestampOf } from '../../proto/timestamp.js';
import { BuildError, type ContentStore, type Kv, type Logger, notFound } from '../contracts/index.js';
import type { Digest } from '../util/digest.js';
import { type BuildEnding, BuildRecording, type RecordedBuild } from './build-recording.js';
import { fileBlob } from './history-blobs.js';
import { type BuildRecord, HistoryBook } from './history-book.js';
import { COMPLETE, DELETED, HistoryFeed, STARTED } from './history-feed.js';
import { historyFilter, newest } from './history-filter.js';
import { RecordWriter } from './record-writer.js';
import { expired, type HistoryLimits } from './retention.js';
import { statusMessagesOf } from './status-log.js';
import { TraceEnd } from './trace-end.js';
import { spanStubs, TRACE_BLOB } from './traces/span-stubs.js';
import type { TraceRecorder, TraceRecording } from './traces/trace-recorder.js';

/** How often old records are looked for. */
const RETENTION_MS = 120_000;

export interface HistoryOptions {
  /** Where the spans of builds are found; absent: they are not kept. */
  readonly traces?: TraceRecorder | undefined;
  readonly kv: Kv;
  readonly content: ContentStore;
  readonly logger: Logger;
  readonly limits: HistoryLimits;
}

export class History implements AsyncDisposable {
  readonly #book: HistoryBook;
  readonly #writer: RecordWriter;
  readonly #feed = new HistoryFeed();
  readonly #options: HistoryOptions;
  /** Builds that run, and those whose record is being written. */
  readonly #active = new Map<string, BuildRecording>();
  /** Of builds whose trace is still recorded. */
  readonly #traceEnds = new Map<string, TraceEnd>();
  /** What nobody waits for but the end. */
  readonly #work = new Set<Promise<void>>();
  readonly #retention: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  private constructor(options: HistoryOptions, book: HistoryBook) {
    this.#options = options;
    this.#book = book;
    this.#writer = new RecordWriter(book, options.content);
    this.#retention = setInterval(() => this.#removeExpired(), RETENTION_MS);
    this.#retention.unref();
  }

  static async open(options: HistoryOptions): Promise<History> {
    const book = new HistoryBook(options.kv);
    for (const record of book.running()) await endInterrupted(book, record);
    const history = new History(options, book);
    history.#removeExpired();
    return history;
  }

  /** Records a build from now on. */
  begin(build: RecordedBuild): BuildRecording {
    const trace = build.traceId ? this.#options.traces?.record(build.traceId) : undefined;
    const recording = new BuildRecording(build, async (ending, at) => {
      await this.#settle(recording, ending, at);
      if (trace) this.#endTrace(build.ref, trace);
    });
    this.#active.set(build.ref, recording);
    this.#behind(build.ref, this.#book.begin(recording.record));
    this.#feed.publish({ type: STARTED, record: recording.record });
    return recording;
  }

  /** Builds that run, records, and, without `EarlyExit`, what becomes of them from now on. */
  async *listen(
    request: Partial<control.BuildHistoryRequest>,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<control.BuildHistoryEvent> {
    const { Ref: ref = '', ActiveOnly, EarlyExit, Filter = [], Limit = 0 } = request;
    const holds = historyFilter(Filter, Date.now());
    const wanted = (record: BuildRecord | undefined): boolean => ref === '' || record?.Ref === ref;
    await this.#written(ref);
    using listener = this.#feed.subscribe();
    const running = [...this.#active.values()].map(({ record }) => record).filter(wanted);
    const records = ActiveOnly ? [] : newest(this.#records(ref).filter(holds), Limit);
    for (const record of running) yield { type: STARTED, record };
    for (const record of records) yield { type: COMPLETE, record };
    if (EarlyExit) return;
    for await (const event of listener.events(signal)) if (wanted(event.record)) yield event;
  }

  /** Pins, unpins, deletes or finalizes a record. */
  async update(request: Partial<control.UpdateBuildHistoryRequest>): Promise<void> {
    const { Ref: ref = '', Pinned = false, Delete = false, Finalize = false } = request;
    await this.#written(ref);
    await this.#traceEnds.get(ref)?.finalize();
    if (Finalize && !Delete) return;
    const record = this.#require(ref);
    if (Delete) await this.#remove(ref);
    else await this.#change(control.BuildHistoryRecord.create({ ...record, pinned: Pinned }));
  }

  /** The progress of a build that is over; undefined when there is no record of it. */
  async replay(ref: string, signal: AbortSignal): Promise<AsyncIterable<control.StatusResponse> | undefined> {
    await this.#written(ref);
    const record = this.#book.get(ref);
    if (!record) return undefined;
    return record.logs ? statusMessagesOf(this.blob(record.logs.digest, { signal })) : nothing();
  }

  /** The bytes of a blob: a log, a trace, a manifest. */
  blob(
    digest: string,
    { signal }: { readonly signal: AbortSignal },
    range: { readonly offset?: number; readonly length?: number } = {},
  ): AsyncIterable<Uint8Array> {
    return this.#options.content.read({ digest: digest as Digest, mediaType: '', size: 0 }, range, signal);
  }

  /** Waits for records that are being written, and ends what listens. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#retention);
    await this.#written('');
    await Promise.all([...this.#traceEnds.values()].map((end) => end.finalize()));
    await Promise.all(this.#work);
    this.#feed.close();
  }

  /** Rules 1 and 2. */
  async #settle(recording: BuildRecording, ending: BuildEnding, completedAt: number): Promise<void> {
    const { Ref: ref } = recording.record;
    try {
      const record = await this.#writer.write(recording.record, ending, completedAt);
      this.#feed.publish({ type: COMPLETE, record });
    } catch (error) {
      this.#options.logger.warn(`the build ${ref} is not remembered`, { err: error });
      this.#behind(ref, this.#book.forget(ref));
      this.#feed.publish(deletion(ref));
    } finally {
      if (this.#active.get(ref) === recording) this.#active.delete(ref);
    }
  }

  #endTrace(ref: string, trace: TraceRecording): void {
    const end = new TraceEnd(trace, async (spans) => {
      await using blob = await fileBlob(this.#options.content, TRACE_BLOB, spanStubs(spans));
      const record = await this.#writer.attachTrace(ref, blob);
      if (record) this.#feed.publish({ type: COMPLETE, record });
    });
    this.#traceEnds.set(ref, end);
    this.#behind(
      ref,
      end.done.finally(() => {
        if (this.#traceEnds.get(ref) === end) this.#traceEnds.delete(ref);
      }),
    );
  }

  #records(ref: string): readonly BuildRecord[] {
    if (ref === '') return [...this.#book.all()];
    const record = this.#book.get(ref);
    return record ? [record] : [];
  }

  #require(ref: string): BuildRecord {
    const record = this.#book.get(ref);
    if (record) return record;
    if (!this.#active.has(ref)) throw notFound('control.no-record', `there is no record of a build ${ref}`);
    throw new BuildError('control.build-runs', `the build ${ref} has not ended yet`, {
      grpcCode: 'FailedPrecondition',
    });
  }

  async #change(record: BuildRecord): Promise<void> {
    record.Generation++;
    await this.#book.put(record, this.#book.blobs(record.Ref));
    this.#feed.publish({ type: COMPLETE, record });
  }

  async #remove(ref: string): Promise<void> {
    this.#feed.publish(deletion(ref));
    await this.#writer.remove(ref);
  }

  #removeExpired(): void {
    const old = expired([...this.#book.all()], this.#options.limits, Date.now());
    for (const { Ref } of old) this.#behind(Ref, this.#remove(Ref));
  }

  /** Waits for the records that are being written of builds that have ended. */
  async #written(ref: string): Promise<void> {
    const recordings = ref === '' ? [...this.#active.values()] : [this.#active.get(ref)];
    await Promise.all(recordings.map((recording) => recording?.written()));
  }

  /** Rule 2, for what nobody waits for. */
  #behind(ref: string, work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => {
        this.#options.logger.warn(`the record of the build ${ref} cannot be changed`, { err: error });
      })
      .finally(() => this.#work.delete(done));
    this.#work.add(done);
  }
}

async function* nothing(): AsyncIterable<never> {}

const deletion = (ref: string): control.BuildHistoryEvent => ({
  type: DELETED,
  record: control.BuildHistoryRecord.create({ Ref: ref }),
});

/** A build that a daemon began that is gone. */
async function endInterrupted(book: HistoryBook, record: BuildRecord): Promise<void> {
  const { Ref: ref } = record;
  await book.forget(ref);
  const error = new BuildError(
    'history.interrupted',
    'the daemon was stopped or killed while this build ran',
    {
      grpcCode: 'Unavailable',
    },
  );
  const ended = { CompletedAt: timestampOf(Date.now()), error: { ...statusOf(error), details: [] } };
  await book.put(control.BuildHistoryRecord.create({ ...record, ...ended }), []);
}
