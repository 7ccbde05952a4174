import type {
  BuildResult,
  Export,
  ExportContext,
  Exported,
  Exporter,
} from '../../../core/contracts/exporter.js';
import type { Progress } from '../../../core/contracts/progress.js';
import type { ResultTree, Session } from '../../../core/contracts/session.js';
import { AttributeReader } from '../shared/attributes.js';
import { type FolderOptions, readFolderOptions, resultTree } from '../shared/folder-tree.js';
import { namedResults, sourceDateEpoch } from '../shared/result.js';

interface LocalOptions extends FolderOptions {
  readonly mode: 'copy' | 'delete';
}

/** `type=local`: the result's files, in a folder of the client. */
export class LocalExporter implements Exporter {
  open(attrs: Readonly<Record<string, string>>): Export {
    const reader = new AttributeReader('local', attrs);
    const options: LocalOptions = {
      ...readFolderOptions(reader),
      mode: reader.oneOf('mode', ['copy', 'delete']) ?? 'copy',
    };
    reader.finish();
    return new LocalExport(options);
  }
}

class LocalExport implements Export {
  readonly name = 'exporting to client directory';
  readonly #options: LocalOptions;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  async run(result: BuildResult, context: ExportContext, signal: AbortSignal): Promise<Exported> {
    return context.steps.step(this.name, async (progress) => {
      const session = await context.session();
      await this.#send(result, session, context.index, progress, signal);
      return { response: {} };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #send(
    result: BuildResult,
    session: Session,
    index: number,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    const { mode, platformSplit } = this.#options;
    const split = platformSplit ?? result.multiPlatform;
    const epoch = sourceDateEpoch(this.#options.sourceDateEpoch, result);
    const parts = namedResults(result);
    const trees = await Promise.all(parts.map((part) => resultTree(part, split, epoch, progress, signal)));
    const write = async (some: readonly ResultTree[], label: string): Promise<void> => {
      progress.status(label, { current: 0 });
      let sent = 0;
      const onProgress = (bytes: number): void => {
        sent = bytes;
        progress.status(label, { current: bytes });
      };
      await session.results.writeTree(index, some, { mode, onProgress }, signal);
      progress.status(label, { current: sent, completed: true });
    };
    // Platforms with folders of their own go side by side; a mirror, or a shared folder, needs to see all at once.
    if (mode === 'delete' || !split) return write(trees, 'copying files');
    await Promise.all(parts.map((part, i) => write([trees[i]!], `copying files ${part.id}`)));
  }
}
