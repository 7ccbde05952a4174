import { invalid } from '../../../core/contracts/errors.js';
import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import type { Progress } from '../../../core/contracts/progress.js';
import type { Session } from '../../../core/contracts/session.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { together } from '../../../core/util/together.js';
import { AttributeReader } from '../shared/attributes.js';
import { type FolderOptions, type NamedTree, readFolderOptions, resultTrees } from '../shared/folder-tree.js';

interface LocalOptions extends FolderOptions {
  readonly mode: 'copy' | 'delete';
}

/** `type=local`: the result's files, in a folder of the client. */
export class LocalExporter implements Exporter {
  readonly #threads: Threads;

  constructor(threads: Threads) {
    this.#threads = threads;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('local', attrs);
    const options: LocalOptions = {
      ...readFolderOptions(reader),
      mode: reader.oneOf('mode', ['copy', 'delete']) ?? 'copy',
    };
    reader.finish();
    return new LocalExport(this.#threads, options);
  }
}

class LocalExport implements Export {
  readonly name = 'exporting to client directory';
  readonly #threads: Threads;
  readonly #options: LocalOptions;

  constructor(threads: Threads, options: LocalOptions) {
    this.#threads = threads;
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    this.#refuseSharedMirror(result);
    return context.steps.step(this.name, async (progress) => {
      const trees = await resultTrees(result, this.#options, this.#threads, progress, signal);
      const session = await context.session();
      // A mirror must know all that belongs there at once; copies go side by side.
      const batches =
        this.#options.mode === 'delete' || trees.length === 1 ? [trees] : trees.map((tree) => [tree]);
      const write = (batch: readonly NamedTree[], either: AbortSignal): Promise<void> =>
        this.#write(session, context.index, batch, progress, either);
      await together(batches, write, signal);
      return { response: {} };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #refuseSharedMirror({ platforms }: BuildResult): void {
    const { mode, platformSplit } = this.#options;
    if (mode !== 'delete' || platformSplit !== false || platforms.length < 2) return;
    throw invalid(
      'exporter.contradiction',
      'local exporter: mode=delete mirrors one folder per platform: it cannot be combined with platform-split=false',
    );
  }

  async #write(
    session: Session,
    index: number,
    trees: readonly NamedTree[],
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    const single = trees.length === 1 && trees[0]!.prefix !== '' ? ` ${trees[0]!.id}` : '';
    const label = `copying files${single}`;
    let sent = 0;
    const onProgress = (bytes: number): void => {
      sent = bytes;
      progress.status(label, { current: bytes });
    };
    onProgress(0);
    await session.results.writeTree(index, trees, { mode: this.#options.mode, onProgress }, signal);
    progress.status(label, { current: sent, completed: true });
  }
}
