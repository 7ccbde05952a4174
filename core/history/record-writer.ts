/**
 * Writes and removes records with their blobs. The order is the point: blobs are staged, held, made blobs, and then
 * named by the record (HistoryBook, rule 2); they are let go of before they are removed.
 */
import { control } from '../../proto/index.js';
import { timestampOf } from '../../proto/timestamp.js';
import type { ContentStore, Descriptor } from '../contracts/index.js';
import type { Digest } from '../util/digest.js';
import { DisposeStack } from '../util/dispose.js';
import type { BuildEnding } from './build-recording.js';
import {
  descriptorOf,
  documentsOf,
  errorBlob,
  fileBlob,
  type HistoryBlob,
  statementBlob,
} from './history-blobs.js';
import type { BuildRecord, HistoryBook } from './history-book.js';
import { STATUS_LOG, StepCounts, statusFrame } from './status-log.js';

export class RecordWriter {
  readonly #book: HistoryBook;
  readonly #content: ContentStore;

  constructor(book: HistoryBook, content: ContentStore) {
    this.#book = book;
    this.#content = content;
  }

  /** Answers the record that was written. */
  async write(begun: BuildRecord, ending: BuildEnding, completedAt: number): Promise<BuildRecord> {
    await using staged = new DisposeStack();
    const counts = new StepCounts();
    const log = await staged.use(
      await fileBlob(this.#content, STATUS_LOG, framesOf(ending.progress, counts)),
    );
    const error = ending.error && (await staged.use(errorBlob(this.#content, ending.error)));
    const statements = new Map(
      [...(ending.statements ?? [])].map(([id, list]) => [
        id,
        list.map((statement) => statementBlob(this.#content, statement)),
      ]),
    );
    const described = new Map(
      [...statements].map(([id, blobs]) => [id, blobs.map(({ descriptor }) => descriptor)]),
    );
    const record = control.BuildHistoryRecord.create({
      ...begun,
      CompletedAt: timestampOf(completedAt),
      logs: log.descriptor,
      ...counts.totals(),
      ExporterResponse: ending.response,
      Result: resultOf(ending.results, described.get('') ?? []),
      Results: Object.fromEntries(
        [...described].filter(([id]) => id !== '').map(([id, Attestations]) => [id, { Attestations }]),
      ),
      ...(ending.error ? { error: { ...ending.error, details: [] }, externalError: error?.descriptor } : {}),
    });
    const documents = [...ending.results.values()].map((result) => documentsOf(this.#content, result));
    const own = [log, ...(error ? [error] : []), ...[...statements.values()].flat()];
    await this.#put(record, own, (await Promise.all(documents)).flat());
    return record;
  }

  /** Answers the changed record; undefined when it was removed. */
  async attachTrace(ref: string, trace: HistoryBlob): Promise<BuildRecord | undefined> {
    const record = this.#book.get(ref);
    if (!record) return undefined;
    record.trace = trace.descriptor;
    record.Generation++;
    await this.#put(record, [trace], this.#book.blobs(ref));
    return record;
  }

  async remove(ref: string): Promise<void> {
    const record = this.#book.get(ref);
    await this.#book.remove(ref);
    const own = record ? ownBlobs(record) : [];
    await Promise.all(
      own.map((digest) => this.#content.remove(digest, (blob) => !this.#book.held(blob.digest))),
    );
  }

  async #put(record: BuildRecord, added: readonly HistoryBlob[], kept: readonly Digest[]): Promise<void> {
    const blobs = [...new Set([...added.map(({ descriptor }) => descriptor.digest as Digest), ...kept])];
    await this.#book.hold(record.Ref, blobs);
    await Promise.all(added.map((blob) => blob.commit()));
    await this.#book.put(record, blobs);
  }
}

async function* framesOf(
  messages: AsyncIterable<control.StatusResponse>,
  counts: StepCounts,
): AsyncIterable<Uint8Array> {
  for await (const message of messages) {
    counts.add(message);
    yield statusFrame(message);
  }
}

/** Older clients read the first image in a field of its own. */
function resultOf(
  results: ReadonlyMap<number, Descriptor>,
  attestations: readonly control.Descriptor[],
): control.BuildResultInfo | undefined {
  if (results.size === 0 && attestations.length === 0) return undefined;
  const all = [...results].map(([place, result]) => [place, descriptorOf(result)] as const);
  return control.BuildResultInfo.create({
    ResultDeprecated: all[0]?.[1],
    Results: Object.fromEntries(all),
    Attestations: attestations,
  });
}

/** Blobs that were written for this record. What exporters made is theirs. */
const ownBlobs = ({ logs, trace, externalError, Result, Results }: BuildRecord): Digest[] =>
  [
    logs,
    trace,
    externalError,
    ...(Result?.Attestations ?? []),
    ...Object.values(Results).flatMap(({ Attestations }) => Attestations),
  ].flatMap((blob) => (blob ? [blob.digest as Digest] : []));
