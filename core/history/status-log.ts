/**
 * The progress of a build as one blob: StatusResponse messages, each after its length (u32, little-endian). Wire facts
 * E9.10. BuildKit: solver/llbsolver/history.go.
 */
import { control } from '../../proto/index.js';
import { BuildError } from '../contracts/index.js';

export const STATUS_LOG = 'application/vnd.buildkit.status.v0';

/** Longer than any that is written: what claims more is no such log. */
const MESSAGE_LIMIT = 64 << 20;

export function statusFrame(message: control.StatusResponse): Buffer {
  const body = control.StatusResponse.encode(message).finish();
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32LE(body.length);
  frame.set(body, 4);
  return frame;
}

/** The messages of a log that comes in chunks of any size. */
export async function* statusMessagesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<control.StatusResponse> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = frameEnd(rest, at); end !== undefined; end = frameEnd(rest, at)) {
      yield control.StatusResponse.decode(rest.subarray(at + 4, end));
      at = end;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw badLog('ends in the middle of a message');
}

function frameEnd(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + 4) return undefined;
  const length = bytes.readUInt32LE(at);
  if (length > MESSAGE_LIMIT) throw badLog(`has a message of ${length} bytes`);
  return bytes.length < at + 4 + length ? undefined : at + 4 + length;
}

/** Counts the steps that a log tells of. */
export class StepCounts {
  readonly #steps = new Map<string, { cached: boolean; completed: boolean }>();
  #warnings = 0;

  add({ vertexes, warnings }: control.StatusResponse): void {
    this.#warnings += warnings.length;
    for (const { digest, cached, completed } of vertexes) {
      const step = this.#steps.get(digest) ?? { cached: false, completed: false };
      this.#steps.set(digest, step);
      step.cached ||= cached;
      step.completed ||= completed !== undefined;
    }
  }

  /** Fields of a record. */
  totals(): Pick<
    control.BuildHistoryRecord,
    'numCachedSteps' | 'numTotalSteps' | 'numCompletedSteps' | 'numWarnings'
  > {
    const steps = [...this.#steps.values()];
    return {
      numCachedSteps: steps.filter(({ cached }) => cached).length,
      numTotalSteps: steps.length,
      numCompletedSteps: steps.filter(({ completed }) => completed).length,
      numWarnings: this.#warnings,
    };
  }
}

const badLog = (what: string): BuildError =>
  new BuildError('history.bad-log', `the log of a build ${what}`, { grpcCode: 'DataLoss' });
