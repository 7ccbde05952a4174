import type { BuildResult } from '../../../core/contracts/exporter.js';
import type { Progress } from '../../../core/contracts/progress.js';
import type { ResultTree } from '../../../core/contracts/session.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { compareBytes } from '../../../core/util/compare.js';
import { together } from '../../../core/util/together.js';
import type { AttributeReader } from './attributes.js';
import { refuseOverlaps } from './overlapping-paths.js';
import { type NamedResult, namedResults, sourceDateEpoch } from './result.js';
import { statementFiles } from './statement-files.js';
import { attestationsOf } from './statements.js';

/** Attributes that the `local` and `tar` exporters share. BuildKit: exporter/local/fs.go CreateFSOpts. */
export interface FolderOptions {
  /** Of the names of files that attestations become. */
  readonly attestationPrefix: string;
  readonly sourceDateEpoch: number | undefined;
  /** One folder per platform; by default for results of several platforms. */
  readonly platformSplit: boolean | undefined;
}

/** A platform's tree, with the platform's id. */
export interface NamedTree extends ResultTree {
  readonly id: string;
}

export function readFolderOptions(attrs: AttributeReader): FolderOptions {
  return {
    attestationPrefix: attrs.text('attestation-prefix') ?? '',
    sourceDateEpoch: attrs.integer('source-date-epoch'),
    platformSplit: attrs.boolean('platform-split'),
  };
}

/**
 * The trees of all platforms, pulled and unpacked, each below its folder. Those that share a folder must not have a
 * file in common.
 */
export async function resultTrees(
  result: BuildResult,
  options: FolderOptions,
  threads: Threads,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly NamedTree[]> {
  const split = options.platformSplit ?? result.multiPlatform;
  const epoch = sourceDateEpoch(options.sourceDateEpoch, result);
  const statements = (part: NamedResult, layers: readonly string[], either: AbortSignal) =>
    statementFiles(
      attestationsOf(result, part.id, { inline: false }),
      layers,
      {
        prefix: options.attestationPrefix,
        platform: result.multiPlatform && !split ? part.id : undefined,
        sourceDateEpoch: epoch,
      },
      threads,
      either,
    );
  const tree = async (part: NamedResult, either: AbortSignal): Promise<NamedTree> => {
    const plain = await resultTree(part, split, epoch, progress, either);
    return { ...plain, files: await statements(part, plain.stack.layers, either) };
  };
  const trees = await together(namedResults(result), tree, signal);
  const stacks = trees.map(({ id, stack }) => ({ id, layers: stack.layers }));
  if (!split) await refuseOverlaps(threads, stacks, signal);
  return [...trees].sort((a, b) => compareBytes(a.prefix, b.prefix));
}

async function resultTree(
  part: NamedResult,
  split: boolean,
  epoch: number | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<NamedTree> {
  const stack = part.ref ? await part.ref.view(progress, signal) : { layers: [], writable: false };
  return {
    id: part.id,
    stack,
    prefix: split ? part.id.replaceAll('/', '_') : '',
    files: [],
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
  };
}
