/** Disk usage and pruning over every worker, in the messages of the Control API. */
import { control, types } from '../../proto/index.js';
import { timestampOf } from '../../proto/timestamp.js';
import type { PruneOptions, UsageRecord, Worker, Workers } from '../contracts/index.js';

export async function diskUsage(
  workers: Workers,
  request: control.DiskUsageRequest,
): Promise<control.DiskUsageResponse> {
  const records = await Promise.all(workers.list.map(({ refs }) => refs.usage(request.filter)));
  const oldest = request.ageLimit > 0 ? Date.now() - request.ageLimit / 1e6 : undefined;
  const wanted = records.flat().filter((record) => oldest === undefined || lastUse(record) < oldest);
  return { record: wanted.map(recordMessage) };
}

const lastUse = (record: UsageRecord): number => record.lastUsedAt ?? record.createdAt;

/** Prunes the workers one after the other, answering each record as it goes. */
export async function* prune(
  workers: Workers,
  request: control.PruneRequest,
  keepBlobsSince: number,
  signal: AbortSignal,
): AsyncIterable<control.UsageRecord> {
  const options: PruneOptions = {
    filter: request.filter,
    all: request.all,
    keepDurationMs: request.keepDuration / 1e6,
    reservedSpace: request.reservedSpace,
    maxUsedSpace: request.maxUsedSpace,
    minFreeSpace: request.minFreeSpace,
    keepBlobsSince,
  };
  for (const { refs } of workers.list) {
    for await (const record of refs.prune(options, signal)) yield recordMessage(record);
  }
}

const recordMessage = (record: UsageRecord): control.UsageRecord =>
  control.UsageRecord.create({
    ID: record.id,
    Mutable: record.mutable,
    InUse: record.inUse,
    Size: record.size,
    Parent: record.parents[0] ?? '',
    Parents: record.parents,
    CreatedAt: timestampOf(record.createdAt),
    LastUsedAt: record.lastUsedAt === undefined ? undefined : timestampOf(record.lastUsedAt),
    UsageCount: record.usageCount,
    Description: record.description,
    RecordType: record.recordType,
    Shared: record.shared,
  });

export const workerMessage = ({ profile }: Worker, version: types.BuildkitVersion): types.WorkerRecord =>
  types.WorkerRecord.create({
    ID: profile.id,
    Labels: profile.labels,
    platforms: profile.platforms.map((platform) => ({
      Architecture: platform.architecture,
      OS: platform.os,
      Variant: platform.variant,
      OSVersion: platform.osVersion,
      OSFeatures: platform.osFeatures,
    })),
    BuildkitVersion: version,
  });
