import { BuildError, invalid } from '../contracts/errors.js';
import type { Worker, Workers } from '../contracts/worker.js';
import { matchesAny, parseFilter } from '../util/filter.js';
import type { Platform } from '../util/platform.js';
import { choosePlatform } from '../util/platform-match.js';

/**
 * The worker an op runs on: of those that its constraints allow, the first that runs its platform, or else the first. The
 * default worker comes before the others. Constraints see `id` and `labels.<key>`; one of them has to match. BuildKit takes
 * the default worker whatever the constraints and the platform are.
 */
export function chooseWorker(
  workers: Workers,
  filters: readonly string[],
  platform: Platform | undefined,
): Worker {
  const only = workers.default();
  if (workers.list.length === 1 && filters.length === 0) return only;
  const allowed = allowedBy(workers, filters);
  return (platform && allowed.find((worker) => runs(worker, platform))) ?? allowed[0]!;
}

/** At least one, the default one first. */
function allowedBy({ list }: Workers, filters: readonly string[]): readonly Worker[] {
  if (filters.length === 0) return list;
  const parsed = filters.map(parse);
  const allowed = list.filter((worker) => matchesAny(parsed, (path) => field(worker, path)));
  if (allowed.length > 0) return allowed;
  throw new BuildError('worker.no-match', `no worker matches the op's constraints ${filters.join(' or ')}`, {
    grpcCode: 'FailedPrecondition',
    hint: `Workers that came up: ${list.map(describe).join('; ')}.`,
  });
}

/** Natively, as an older variant, or by emulation. */
const runs = ({ profile }: Worker, platform: Platform): boolean =>
  profile.platforms.some((offered) => choosePlatform(offered, [{ platform }]) !== undefined);

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
