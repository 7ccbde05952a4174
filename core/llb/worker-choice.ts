import { BuildError, invalid, unsupported } from '../contracts/errors.js';
import type { Worker, Workers } from '../contracts/worker.js';
import { matchesAny, parseFilter } from '../util/filter.js';

/**
 * The worker an op runs on: the default one, which its constraints have to allow. They see `id` and `labels.<key>`. What
 * only another worker could do is refused and not done there: refs and cached results of one worker mean nothing to another,
 * and a graph has both. BuildKit takes the default worker whatever the constraints say.
 */
export function chooseWorker(workers: Workers, filters: readonly string[]): Worker {
  const chosen = workers.default();
  if (filters.length === 0) return chosen;
  const parsed = filters.map(parse);
  const allowed = (worker: Worker): boolean => matchesAny(parsed, (path) => field(worker, path));
  if (allowed(chosen)) return chosen;
  const asked = filters.join(' or ');
  const other = workers.list.find(allowed);
  if (other) {
    throw unsupported(
      'worker.not-default',
      `only worker ${describe(other)} matches the op's constraints ${asked}`,
      {
        hint: `Builds run on the daemon's first worker, ${describe(chosen)}: start a daemon without it, as with --oci-worker=false.`,
      },
    );
  }
  throw new BuildError('worker.no-match', `no worker matches the op's constraints ${asked}`, {
    grpcCode: 'FailedPrecondition',
    hint: `Workers that came up: ${workers.list.map(describe).join('; ')}.`,
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
