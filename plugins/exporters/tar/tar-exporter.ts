import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import { statusWhile } from '../../../core/contracts/progress.js';
import type { Threads } from '../../../core/contracts/threads.js';
import type { Trees } from '../../../core/contracts/trees.js';
import { AttributeReader } from '../shared/attributes.js';
import { type FolderOptions, readFolderOptions, resultTrees } from '../shared/folder-tree.js';

/** `type=tar`: the result's files as one tar archive. */
export class TarExporter implements Exporter {
  readonly #trees: Trees;
  readonly #threads: Threads;

  constructor(trees: Trees, threads: Threads) {
    this.#trees = trees;
    this.#threads = threads;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('tar', attrs);
    const options = readFolderOptions(reader);
    reader.finish();
    return new TarExport(this.#trees, this.#threads, options);
  }
}

class TarExport implements Export {
  readonly name = 'exporting to client tarball';
  readonly #trees: Trees;
  readonly #threads: Threads;
  readonly #options: FolderOptions;

  constructor(trees: Trees, threads: Threads, options: FolderOptions) {
    this.#trees = trees;
    this.#threads = threads;
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    return context.steps.step(this.name, async (progress) => {
      const trees = await resultTrees(result, this.#options, this.#threads, progress, signal);
      const session = await context.session();
      await statusWhile(progress, 'sending tarball', () =>
        session.results.writeFile(context.index, {}, this.#trees.tar(trees, signal), signal),
      );
      return { response: {} };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
