/**
 * Adds to the bill of materials of a result which layer each file came with. Scanners see a tree and know nothing of
 * layers. BuildKit: exporter/containerimage/attestations.go supplementSBOM.
 */
import type { ResultAttestation } from '../../../../core/contracts/exporter.js';
import type { RefLayers } from '../../../../core/contracts/refs.js';
import { rootedPath } from '../../../../core/util/gofs/path.js';

const SPDX = 'https://spdx.dev/Document';
const WHITEOUT = '.wh.';

/** The part of an SPDX document that is of interest; the rest stays as it is. */
interface Document {
  readonly creationInfo?: { readonly creators?: readonly string[] };
  readonly files?: readonly DocumentFile[];
}
interface DocumentFile {
  readonly fileName?: string;
  readonly comment?: string;
}

/** The same attestation, unless it is what the scan of the result itself found. */
export function withLayers(attestation: ResultAttestation, layers: RefLayers): ResultAttestation {
  if (!isCore(attestation)) return attestation;
  return {
    ...attestation,
    predicate: async (signal) => {
      const data = await attestation.predicate(signal);
      const document = readDocument(data);
      return document ? Buffer.from(JSON.stringify(await supplemented(document, layers, signal))) : data;
    },
  };
}

function isCore({ path, predicateType, metadata }: ResultAttestation): boolean {
  const core = metadata.get('sbom-core');
  const name = path.slice(path.lastIndexOf('/') + 1).split('.', 1)[0];
  return predicateType === SPDX && core !== undefined && Buffer.from(core).toString() === name;
}

/** Undefined for what is no SPDX document: a scanner may leave what it likes. */
function readDocument(data: Uint8Array): Document | undefined {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(data).toString());
  } catch {
    return undefined;
  }
  const isObject = typeof document === 'object' && document !== null && 'spdxVersion' in document;
  return isObject ? (document as Document) : undefined;
}

async function supplemented(document: Document, layers: RefLayers, signal: AbortSignal): Promise<Document> {
  const finder = new LayerFinder(layers);
  const files: DocumentFile[] = [];
  for (const file of document.files ?? []) {
    // A comment of the scanner is not ours to change.
    const layer = file.comment ? undefined : await finder.find(rootedPath(file.fileName ?? ''), signal);
    files.push(layer === undefined ? file : { ...file, comment: `layerID: ${layer}` });
  }
  const { creationInfo } = document;
  const creators = [...(creationInfo?.creators ?? []), 'Tool: buildkit-ts'];
  return {
    ...document,
    creationInfo: { ...creationInfo, creators },
    ...(document.files ? { files } : {}),
  };
}

/** Reads layers from the topmost on, and only as far as it must. */
class LayerFinder {
  readonly #layers: RefLayers;
  readonly #known = new Map<string, string>();
  #left: number;

  constructor(layers: RefLayers) {
    this.#layers = layers;
    this.#left = layers.names ? layers.layers.length : 0;
  }

  /** Digest of the highest layer that brings `path`; one that was deleted again has a layer, too. */
  async find(path: string, signal: AbortSignal): Promise<string | undefined> {
    while (!this.#known.has(path) && this.#left > 0) await this.#readNext(signal);
    return this.#known.get(path);
  }

  async #readNext(signal: AbortSignal): Promise<void> {
    this.#left -= 1;
    const { digest } = this.#layers.layers[this.#left]!.descriptor;
    const names = (await this.#layers.names?.(this.#left, signal)) ?? [];
    for (const name of names) {
      const path = rootedPath(name);
      const isWhiteout = path.slice(path.lastIndexOf('/') + 1).startsWith(WHITEOUT);
      if (!isWhiteout && !this.#known.has(path)) this.#known.set(path, digest);
    }
  }
}
