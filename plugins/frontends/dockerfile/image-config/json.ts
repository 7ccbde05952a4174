/**
 * Image configs as JSON, with the members that BuildKit keeps, in the order in which it writes them. They come from
 * registries: what is not of the kind that it should be is refused.
 */
import * as z from 'zod';
import { BuildError } from '../../../../core/contracts/errors.js';
import { type GoValue, goJson, omitEmpty } from '../../../../core/util/go-json.js';
import type { HealthCheck, HistoryEntry, Image, ImageConfig } from './image.js';
import { ImageEnv } from './image-env.js';

/** As in Go, `null` is what is not there. */
const text = z.string().nullish();
const texts = z.array(z.string()).nullish();
const number = z.number().nullish();
const flag = z.boolean().nullish();
const keys = z.record(z.string(), z.unknown()).nullish();

const rawHealthCheck = z.object({
  Test: texts,
  Interval: number,
  Timeout: number,
  StartPeriod: number,
  StartInterval: number,
  Retries: number,
});
const rawConfig = z.object({
  User: text,
  ExposedPorts: keys,
  Env: texts,
  Entrypoint: texts,
  Cmd: texts,
  Volumes: keys,
  WorkingDir: text,
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: text,
  ArgsEscaped: flag,
  Healthcheck: rawHealthCheck.nullish(),
  OnBuild: texts,
  Shell: texts,
});
const rawHistory = z.object({
  created: text,
  created_by: text,
  author: text,
  comment: text,
  empty_layer: flag,
});
const rawImage = z.object({
  created: text,
  author: text,
  architecture: text,
  os: text,
  'os.version': text,
  'os.features': texts,
  variant: text,
  config: rawConfig.nullish(),
  rootfs: z.object({ type: text, diff_ids: texts }).nullish(),
  history: z.array(rawHistory).nullish(),
});

export function parseImage(json: Uint8Array): Image {
  const raw = readRaw(json);
  return {
    created: raw.created ?? undefined,
    author: raw.author ?? '',
    architecture: raw.architecture ?? '',
    os: raw.os ?? '',
    osVersion: raw['os.version'] ?? '',
    osFeatures: raw['os.features'] ?? [],
    variant: raw.variant ?? '',
    config: parseConfig(raw.config ?? {}),
    rootfs: { type: raw.rootfs?.type ?? '', diffIds: raw.rootfs?.diff_ids ?? undefined },
    history: (raw.history ?? []).map((entry) => ({
      created: entry.created ?? undefined,
      createdBy: entry.created_by ?? '',
      author: entry.author ?? undefined,
      comment: entry.comment ?? undefined,
      emptyLayer: entry.empty_layer ?? false,
    })),
  };
}

function readRaw(json: Uint8Array): z.infer<typeof rawImage> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(json).toString());
  } catch (error) {
    throw unreadable((error as Error).message);
  }
  const read = rawImage.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw unreadable(`${issue.path.join('.')}: ${issue.message}`);
}

const unreadable = (why: string): BuildError =>
  new BuildError('image.corrupt', `unreadable image config: ${why}`, { grpcCode: 'DataLoss' });

function parseConfig(raw: z.infer<typeof rawConfig>): ImageConfig {
  return {
    user: raw.User ?? '',
    exposedPorts: new Set(Object.keys(raw.ExposedPorts ?? {})),
    env: new ImageEnv(raw.Env ?? []),
    entrypoint: raw.Entrypoint ?? [],
    cmd: raw.Cmd ?? [],
    volumes: new Set(Object.keys(raw.Volumes ?? {})),
    workingDir: raw.WorkingDir ?? '',
    labels: new Map(Object.entries(raw.Labels ?? {})),
    stopSignal: raw.StopSignal ?? '',
    argsEscaped: raw.ArgsEscaped ?? false,
    healthcheck: raw.Healthcheck ? parseHealthCheck(raw.Healthcheck) : undefined,
    onBuild: raw.OnBuild ?? [],
    shell: raw.Shell ?? [],
  };
}

const parseHealthCheck = (raw: z.infer<typeof rawHealthCheck>): HealthCheck => ({
  test: raw.Test ?? [],
  interval: raw.Interval ?? 0,
  timeout: raw.Timeout ?? 0,
  startPeriod: raw.StartPeriod ?? 0,
  startInterval: raw.StartInterval ?? 0,
  retries: raw.Retries ?? 0,
});

export function formatImage(image: Image): Uint8Array {
  const json = goJson({
    ...omitEmpty({ created: image.created, author: image.author }),
    architecture: image.architecture,
    os: image.os,
    ...omitEmpty({ 'os.version': image.osVersion, 'os.features': image.osFeatures, variant: image.variant }),
    rootfs: { type: image.rootfs.type, diff_ids: image.rootfs.diffIds ?? null },
    ...omitEmpty({ history: image.history.map(formatHistory) }),
    config: formatConfig(image.config),
  });
  return Buffer.from(json);
}

const formatHistory = (entry: HistoryEntry): GoValue =>
  omitEmpty({
    created: entry.created,
    created_by: entry.createdBy,
    author: entry.author,
    comment: entry.comment,
    empty_layer: entry.emptyLayer,
  });

const formatConfig = (config: ImageConfig): GoValue =>
  omitEmpty({
    User: config.user,
    ExposedPorts: keySet(config.exposedPorts),
    Env: config.env.entries,
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    Volumes: keySet(config.volumes),
    WorkingDir: config.workingDir,
    Labels: config.labels,
    StopSignal: config.stopSignal,
    ArgsEscaped: config.argsEscaped,
    Healthcheck: config.healthcheck && formatHealthCheck(config.healthcheck),
    OnBuild: config.onBuild,
    Shell: config.shell,
  });

const formatHealthCheck = (check: HealthCheck): GoValue =>
  omitEmpty({
    Test: check.test,
    Interval: check.interval,
    Timeout: check.timeout,
    StartPeriod: check.startPeriod,
    StartInterval: check.startInterval,
    Retries: check.retries,
  });

const keySet = (keys: Iterable<string>): ReadonlyMap<string, GoValue> =>
  new Map([...keys].map((key) => [key, {}]));
