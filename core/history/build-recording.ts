/** One build on its way into history, from its start until nothing is added to its record any more. */
import { control, type rpc } from '../../proto/index.js';
import { timestampOf } from '../../proto/timestamp.js';
import type { Descriptor } from '../contracts/index.js';
import type { BuildRecord } from './history-book.js';

/** What is known of a build when it starts. */
export interface RecordedBuild {
  readonly ref: string;
  readonly frontend: string;
  readonly frontendAttrs: Readonly<Record<string, string>>;
  readonly exporters: readonly control.Exporter[];
  /** The trace that its spans are part of. */
  readonly traceId?: string | undefined;
}

/** One statement, without the subjects that exporters give it. */
export interface Statement {
  readonly predicateType: string;
  /** JSON. */
  readonly predicate: Uint8Array;
}

/** What is known when it has ended. */
export interface BuildEnding {
  /** The whole progress, from its start to its end. */
  readonly progress: AsyncIterable<control.StatusResponse>;
  /** What the frontend and the exporters said about the result. */
  readonly response: Readonly<Record<string, string>>;
  /** What exporters made, by their place in the request. */
  readonly results: ReadonlyMap<number, Descriptor>;
  /** What is stated about the result, by platform; by the empty id when there is only one. */
  readonly statements?: ReadonlyMap<string, readonly Statement[]>;
  /** With its details; absent when it succeeded. */
  readonly error?: rpc.Status | undefined;
}

export class BuildRecording {
  /** As it was at the start. */
  readonly record: BuildRecord;
  readonly #settle: (ending: BuildEnding, completedAt: number) => Promise<void>;
  #written: Promise<void> | undefined;

  constructor(build: RecordedBuild, settle: (ending: BuildEnding, completedAt: number) => Promise<void>) {
    this.record = control.BuildHistoryRecord.create({
      Ref: build.ref,
      Frontend: build.frontend,
      FrontendAttrs: { ...build.frontendAttrs },
      Exporters: build.exporters,
      CreatedAt: timestampOf(Date.now()),
    });
    this.#settle = settle;
  }

  /** The record is written behind the caller's back. */
  end(ending: BuildEnding): void {
    this.#written ??= this.#settle(ending, Date.now());
  }

  /** Resolves when the record of a build that has ended is written; at once while it runs. */
  async written(): Promise<void> {
    await this.#written;
  }
}
