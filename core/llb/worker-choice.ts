import { BuildError, invalid } from '../contracts/errors.js';
import type { Worker, Workers } from '../contracts/worker.js';
import { matchesAny, parseFilter } from '../util/filter.js';

/**
 * The worker an op runs on: the default one if the op's constraints allow it, else the first they allow.
 * see `id`, `platform` (each of the worker's) and `labels.<key>`.
 */
export function chooseWorker(workers: Workers, filters: readonly string[]): Worker {
  const preferred = workers.default();
  if (filters.length === 0) return preferred;
  const parsed = filters.map(parse);
  const candidates = [preferred, ...workers.list.filter((worker) => worker !== preferred)];
  const chosen = candidates.find((worker) => matchesAny(parsed, (path) => field(worker, path)));
  if (chosen) return chosen;
  throw new BuildError('worker.no-match', `no worker matches the op's constraints ${filters.join(' or ')}`, {
    grpcCode: 'FailedPrecondition',
    hint: `Workers that came up: ${candidates.map(describe).join('; ')}.`,
  });
}

function parse(filter: string): ReturnType<typeof parseFilter> {
  try {
    return parseFilter(filter);
  } catch (cause) {
    throw invalid('llb.invalid', (cause as Error).message, { cause });
  }
}

function field(worker: Worker, path: readonly string[]): string | undefined {
  const { id, labels } = worker.profile;
  if (path[0] === 'id') return id;
  return path[0] === 'labels' ? labels[path.slice(1).join('.')] : undefined;
}

const describe = (worker: Worker): string =>
  `${worker.profile.id} (${Object.entries(worker.profile.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')})`;
