/** Disk usage and pruning over every worker, in the messages of the Control API. */
import { control, type debug, types } from '../../proto/index.js';
import { timestampOf } from '../../proto/timestamp.js';
import type { DeviceInfo, GcRule, UsageRecord, Worker, Workers } from '../contracts/index.js';

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

export interface PruneServices {
  readonly workers: Workers;
  readonly keepBlobsSince: number;
  /** Told of the records that are gone, as `<worker>::<ref>`. */
  readonly removed: (results: readonly string[]) => Promise<void>;
}

/** Prunes the workers one after the other, answering each record as it goes. */
export async function* prune(
  { workers, keepBlobsSince, removed }: PruneServices,
  request: control.PruneRequest,
  signal: AbortSignal,
): AsyncIterable<control.UsageRecord> {
  const options = { ...ruleOf(request), keepBlobsSince };
  for (const { refs, profile } of workers.list) {
    const gone: string[] = [];
    try {
      for await (const record of refs.prune(options, signal)) {
        gone.push(`${profile.id}::${record.id}`);
        yield recordMessage(record);
      }
    } finally {
      await removed(gone);
    }
  }
}

export async function planPrune(
  workers: Workers,
  request: control.PruneRequest,
  signal: AbortSignal,
): Promise<debug.PlanPruneResponse> {
  const rule = ruleOf(request);
  const verdicts = await Promise.all(workers.list.map(({ refs }) => refs.planPrune(rule, signal)));
  return {
    verdicts: verdicts
      .flat()
      .map(({ record, goes, because }) => ({ record: recordMessage(record), goes, because })),
  };
}

const ruleOf = (request: control.PruneRequest): GcRule => ({
  filter: request.filter,
  all: request.all,
  keepDurationMs: request.keepDuration / 1e6,
  reservedSpace: request.reservedSpace,
  maxUsedSpace: request.maxUsedSpace,
  minFreeSpace: request.minFreeSpace,
});

const ruleMessage = (rule: GcRule): types.GCPolicy => ({
  all: rule.all,
  filters: [...rule.filter],
  keepDuration: rule.keepDurationMs * 1e6,
  reservedSpace: rule.reservedSpace,
  maxUsedSpace: rule.maxUsedSpace,
  minFreeSpace: rule.minFreeSpace,
});

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

export const workerMessage = (
  { profile }: Worker,
  version: types.BuildkitVersion,
  rules: readonly GcRule[],
  devices: readonly DeviceInfo[],
): types.WorkerRecord =>
  types.WorkerRecord.create({
    GCPolicy: rules.map(ruleMessage),
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
    CDIDevices: devices.map(({ name, autoAllow, annotations }) => ({
      Name: name,
      AutoAllow: autoAllow,
      Annotations: annotations,
    })),
  });
