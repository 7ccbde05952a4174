/** Rows for work that is no vertex of a graph: `[internal] load build definition`, `exporting to oci`. */
import { BuildError } from '../../contracts/errors.js';
import type { Progress, ProgressSteps } from '../../contracts/progress.js';
import { withSpan } from '../../contracts/step-span.js';
import type { SpanContext } from '../../contracts/tracing.js';
import { sha256 } from '../../util/digest.js';
import type { Clock } from '../seams.js';
import { declared, type JobStream } from './job-stream.js';
import { TaskLog } from './task-log.js';

export class JobSteps implements ProgressSteps {
  readonly #stream: JobStream;
  readonly #clock: Clock;

  readonly #span: SpanContext | undefined;

  /** `span`: of the job. */
  constructor(stream: JobStream, clock: Clock, span?: SpanContext) {
    this.#stream = stream;
    this.#clock = clock;
    this.#span = span;
  }

  async step<T>(
    name: string,
    work: (progress: Progress) => Promise<T>,
    options: { readonly id?: string } = {},
  ): Promise<T> {
    const log = new TaskLog(declared({ digest: sha256(options.id ?? name), name, inputs: [] }), this.#clock);
    log.attach(this.#stream);
    log.started(false);
    try {
      const value = await work(withSpan(log, this.#span));
      log.completed();
      return value;
    } catch (error) {
      log.completed(BuildError.from(error));
      throw error;
    } finally {
      log.detach(this.#stream);
    }
  }
}
