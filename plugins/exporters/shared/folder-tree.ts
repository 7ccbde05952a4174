import type { Progress } from '../../../core/contracts/progress.js';
import type { ResultTree } from '../../../core/contracts/session.js';
import type { AttributeReader } from './attributes.js';
import type { NamedResult } from './result.js';

/** Attributes that the `local` and `tar` exporters share. BuildKit: exporter/local/fs.go CreateFSOpts. */
export interface FolderOptions {
  readonly sourceDateEpoch: number | undefined;
  /** One folder per platform; by default for results of several platforms. */
  readonly platformSplit: boolean | undefined;
}

export function readFolderOptions(attrs: AttributeReader): FolderOptions {
  // It names files that attestations become; results carry none yet.
  attrs.text('attestation-prefix');
  return {
    sourceDateEpoch: attrs.integer('source-date-epoch'),
    platformSplit: attrs.boolean('platform-split'),
  };
}

/** Pulls and unpacks what is still lazy, then describes the tree for the client. */
export async function resultTree(
  part: NamedResult,
  split: boolean,
  epoch: number | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<ResultTree> {
  const stack = part.ref ? await part.ref.view(progress, signal) : { layers: [], writable: false };
  return {
    stack,
    prefix: split ? part.id.replaceAll('/', '_') : '',
    files: [],
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
  };
}
