import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import { statusWhile } from '../../../core/contracts/progress.js';
import type { Trees } from '../../../core/contracts/trees.js';
import { AttributeReader } from '../shared/attributes.js';
import { type FolderOptions, readFolderOptions, resultTree } from '../shared/folder-tree.js';
import { namedResults, sourceDateEpoch } from '../shared/result.js';

/** `type=tar`: the result's files as one tar archive. */
export class TarExporter implements Exporter {
  readonly #trees: Trees;

  constructor(trees: Trees) {
    this.#trees = trees;
  }

  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('tar', attrs);
    const options = readFolderOptions(reader);
    reader.finish();
    return new TarExport(this.#trees, options);
  }
}

class TarExport implements Export {
  readonly name = 'exporting to client tarball';
  readonly #trees: Trees;
  readonly #options: FolderOptions;

  constructor(trees: Trees, options: FolderOptions) {
    this.#trees = trees;
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    return context.steps.step(this.name, async (progress) => {
      const split = this.#options.platformSplit ?? result.multiPlatform;
      const epoch = sourceDateEpoch(this.#options.sourceDateEpoch, result);
      const trees = await Promise.all(
        namedResults(result).map((part) => resultTree(part, split, epoch, progress, signal)),
      );
      const session = await context.session();
      await statusWhile(progress, 'sending tarball', () =>
        session.results.writeFile(context.index, {}, this.#trees.tar(trees, signal), signal),
      );
      return { response: {} };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
