/**
 * What `--format '{{json .}}'` prints: the names and forms of BuildKit's own buildctl, which scripts rely on, and not
 * those of the messages on the wire. BuildKit: client/diskusage.go, client/workers.go.
 */
import { canonicalTime } from '../../core/util/go-time.js';
import type { control, types } from '../../proto/index.js';

type Timestamp = NonNullable<control.UsageRecord['CreatedAt']>;

const NANOSECOND_DIGITS = 9;

function timeJson(timestamp: Timestamp | undefined | null): string | null {
  if (!timestamp) return null;
  const whole = new Date(timestamp.seconds * 1000).toISOString().replace(/\.000Z$/, '');
  return canonicalTime(`${whole}.${String(timestamp.nanos).padStart(NANOSECOND_DIGITS, '0')}Z`) ?? null;
}

const listJson = <T>(items: readonly T[]): readonly T[] | null => (items.length === 0 ? null : items);

export const usageJson = (record: control.UsageRecord): unknown => ({
  id: record.ID,
  mutable: record.Mutable,
  inUse: record.InUse,
  size: record.Size,
  createdAt: timeJson(record.CreatedAt),
  lastUsedAt: timeJson(record.LastUsedAt),
  usageCount: record.UsageCount,
  parents: listJson(record.Parents),
  description: record.Description,
  recordType: record.RecordType,
  shared: record.Shared,
});

export const workerJson = (worker: types.WorkerRecord): unknown => ({
  id: worker.ID,
  labels: Object.fromEntries(Object.entries(worker.Labels).sort()),
  platforms: worker.platforms.map(({ Architecture, OS, Variant }) => ({
    architecture: Architecture,
    os: OS,
    // Go's templates know the field even where its JSON leaves it out.
    variant: Variant === '' ? undefined : Variant,
  })),
  gcPolicy: worker.GCPolicy.map(
    ({ all, filters, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace }) => ({
      all,
      filter: listJson(filters),
      keepDuration,
      reservedSpace,
      maxUsedSpace,
      minFreeSpace,
    }),
  ),
  buildkitVersion: versionJson(worker.BuildkitVersion),
  cdiDevices: listJson(
    worker.CDIDevices.map(({ Name, AutoAllow, Annotations, OnDemand }) => ({
      name: Name,
      autoAllow: AutoAllow,
      annotations: Annotations,
      onDemand: OnDemand,
    })),
  ),
});

export const versionJson = (version: types.BuildkitVersion | undefined | null): unknown => ({
  package: version?.package ?? '',
  version: version?.version ?? '',
  revision: version?.revision ?? '',
});
