/** Where a client puts results, by the index in its list of exporters. */
import { BuildError, invalid } from '../../core/contracts/errors.js';
import type { WriteMode } from '../../core/transfer/tree-writer.js';
import { makeFolders } from '../../core/util/make-folders.js';
import type { ExportRequest, ExportTarget } from '../export-request.js';

export interface FolderTarget {
  readonly path: string;
  readonly mode: WriteMode;
  /** Files become the user's. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

export class ResultTargets {
  readonly #exports: readonly ExportRequest[];

  constructor(exports: readonly ExportRequest[]) {
    this.#exports = exports;
  }

  get empty(): boolean {
    return this.#exports.every(({ target }) => target === undefined);
  }

  target(exporter: number): ExportTarget {
    const target = this.#exports[exporter]?.target;
    if (!target) throw new BuildError('client.exporter', `exporter ${exporter} not found`);
    return target;
  }

  /**
   * Makes the folder. `oneStream` says that all platforms come in this one transfer. Without that, mirroring would remove what the
   * transfer of another platform has just written.
   */
  async folder(exporter: number, oneStream: boolean): Promise<FolderTarget> {
    const target = this.target(exporter);
    if (target.kind !== 'folder') {
      throw invalid('client.exporter', `exporter ${exporter} writes one file, but the daemon sends a folder`);
    }
    const mirror = this.#exports[exporter]!.attrs.mode === 'delete';
    if (mirror && !oneStream) {
      throw invalid(
        'client.mirror',
        'the daemon does not support mode=delete: it sends platforms one by one',
      );
    }
    await makeFolders(target.path, 0o700);
    return {
      path: target.path,
      mode: mirror ? 'mirror' : 'merge',
      owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    };
  }
}
