/**
 * Images that a build leaves in folders of this client, as OCI layouts (`type=oci,tar=false`): the daemon writes blobs to
 * the store `export`, their names are written here. BuildKit: client/solve.go.
 */
import { invalid } from '../core/contracts/index.js';
import { parseImageReference, withDefaultTag } from '../core/util/image-reference.js';
import type { ExportRequest } from './export-request.js';
import { type IndexedManifest, LayoutIndex } from './session/layout-index.js';
import { LayoutStore } from './session/layout-store.js';

export interface LayoutExports {
  readonly stores: ReadonlyMap<string, LayoutStore>;
  finish(response: Readonly<Record<string, string>>): Promise<void>;
}

export function prepareLayouts(exports: readonly ExportRequest[]): LayoutExports {
  const dirs = exports.flatMap(({ type, target }) =>
    (type === 'oci' || type === 'docker') && target?.kind === 'folder' ? [target.path] : [],
  );
  const [dir] = dirs;
  if (dirs.length > 1) {
    // Daemons know one store for it.
    throw invalid('client.layouts', `only one image can go into a folder: ${dirs.join(', ')}`);
  }
  if (dir === undefined) return { stores: new Map(), finish: async () => {} };
  return {
    stores: new Map([['export', new LayoutStore(dir, { writable: true })]]),
    async finish(response) {
      const descriptor = response['containerimage.descriptor'];
      if (descriptor === undefined) return;
      const manifest = JSON.parse(Buffer.from(descriptor, 'base64').toString()) as IndexedManifest;
      const index = new LayoutIndex(dir);
      const names = (response['image.name'] ?? '').split(',').filter((name) => name !== '');
      if (names.length === 0) await index.put(manifest, 'latest');
      for (const name of names) await index.put(manifest, tagOf(name), name);
    },
  };
}

const tagOf = (name: string): string => withDefaultTag(parseImageReference(name)).tag ?? 'latest';
