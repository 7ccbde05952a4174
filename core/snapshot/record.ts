/** What the store knows about a ref: the part that is kept, and the part that lives in this process. */
import type { ContentProvider, Descriptor } from '../contracts/content.js';
import type { LayerBlob } from '../contracts/differ.js';
import type { Progress } from '../contracts/progress.js';
import type { RecordType } from '../contracts/refs.js';
import type { Digest } from '../util/digest.js';

/** The kept part. Replaced as a whole, never changed in place. Times in milliseconds. */
export interface RefRecord {
  readonly id: string;
  readonly kind: 'immutable' | 'mutable';
  /** What it stands on. */
  readonly parent?: string;
  /** A merge: the tree of `parent`, and on it the layers of these records, bottom first. */
  readonly applied?: readonly string[];
  /** A computed difference: the one layer that makes `upper` of `lower`. A side that is absent is the empty tree. */
  readonly diff?: { readonly lower?: string; readonly upper?: string };
  readonly createdAt: number;
  readonly description: string;
  readonly type: RecordType;
  readonly indexes: readonly string[];
  /** Blobs kept along that are no layers. */
  readonly documents: readonly Digest[];
  /** There is no snapshot: known as a blob only, or composed of others when it is needed. */
  readonly lazy: boolean;
  /** The layer as the image has it that this record came from. */
  readonly source?: SourceLayer;
  /** Of the layers down to the first, when all their diff ids are known. */
  readonly chainId?: Digest;
  /** Layer blobs computed here, by {@link variantKey}. */
  readonly variants: Readonly<Record<string, LayerBlob>>;
}
export interface SourceLayer extends LayerBlob {
  readonly createdAt: number;
  readonly description: string;
}

/** Changes often and matters little: kept apart, written without waiting. */
export interface RefUsage {
  readonly lastUsedAt?: number;
  readonly usageCount: number;
  /** Bytes of the snapshot and its blobs; absent until computed. */
  readonly size?: number;
}

/** Made of other records, with no layer that was ever written. */
export const isComposed = ({ applied, diff }: RefRecord): boolean =>
  applied !== undefined || diff !== undefined;

/** What must stay as long as the record does, as often as it is named. */
export const restsOn = ({ parent, applied = [], diff }: RefRecord): readonly string[] => [
  ...(parent === undefined ? [] : [parent]),
  ...applied,
  ...(diff?.lower === undefined ? [] : [diff.lower]),
  ...(diff?.upper === undefined ? [] : [diff.upper]),
];

export class Entry {
  record: RefRecord;
  usage: RefUsage = { usageCount: 0 };
  /** Stands in the key-value store. */
  saved = false;
  /** Open handles. */
  handles = 0;
  /** How often entries rest on this one. */
  children = 0;
  readonly holders = new Set<string>();
  /** Where a lazy layer can be read, newest last. */
  providers: readonly ContentProvider[] = [];
  /** The step that last named the layer: pulling it is told there. */
  teller: Progress | undefined;
  /** Settles when the blob that the layer came from is durable. */
  keeping: Promise<void> | undefined;
  /** Its removal has begun. */
  gone = false;

  constructor(record: RefRecord) {
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  /** Its layer can be read from somewhere else. */
  get offered(): boolean {
    return this.providers.some(({ gone }) => !gone?.aborted);
  }

  /** Nothing keeps it. */
  get free(): boolean {
    return this.handles === 0 && this.children === 0 && this.holders.size === 0 && !this.gone;
  }
}

/** The snapshot an immutable record stands for, and the one that is being written for it. */
export const snapshotKey = ({ kind, id }: RefRecord): string => (kind === 'mutable' ? activeKey(id) : id);
export const activeKey = (id: string): string => `w-${id}`;

/** Layer blobs a record keeps. */
export function layerDescriptors({ source, variants }: RefRecord): readonly Descriptor[] {
  const blobs = [...(source ? [source] : []), ...Object.values(variants)];
  return blobs.map(({ descriptor }) => descriptor);
}

/** Every blob a record keeps. */
export const blobsOf = (record: RefRecord): readonly Digest[] => [
  ...layerDescriptors(record).map(({ digest }) => digest),
  ...record.documents,
];
