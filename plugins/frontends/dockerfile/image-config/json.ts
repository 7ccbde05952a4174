/** Image configs as JSON, with the members that BuildKit keeps, in the order in which it writes them. */
import { type GoValue, goJson, omitEmpty } from '../../../../core/util/go-json.js';
import type { HealthCheck, HistoryEntry, Image, ImageConfig } from './image.js';

export function parseImage(json: Uint8Array): Image {
  const raw = JSON.parse(Buffer.from(json).toString()) as RawImage;
  return {
    author: raw.author ?? '',
    architecture: raw.architecture ?? '',
    os: raw.os ?? '',
    osVersion: raw['os.version'] ?? '',
    osFeatures: raw['os.features'] ?? [],
    variant: raw.variant ?? '',
    config: parseConfig(raw.config ?? {}),
    rootfs: { type: raw.rootfs?.type ?? '', diffIds: raw.rootfs?.diff_ids ?? undefined },
    history: (raw.history ?? []).map((entry) => ({
      created: entry.created,
      createdBy: entry.created_by ?? '',
      author: entry.author,
      comment: entry.comment,
      emptyLayer: entry.empty_layer ?? false,
    })),
  };
}

function parseConfig(raw: RawConfig): ImageConfig {
  return {
    user: raw.User ?? '',
    exposedPorts: new Set(Object.keys(raw.ExposedPorts ?? {})),
    env: raw.Env ?? [],
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

const parseHealthCheck = (raw: RawHealthCheck): HealthCheck => ({
  test: raw.Test ?? [],
  interval: raw.Interval ?? 0,
  timeout: raw.Timeout ?? 0,
  startPeriod: raw.StartPeriod ?? 0,
  startInterval: raw.StartInterval ?? 0,
  retries: raw.Retries ?? 0,
});

export function formatImage(image: Image): Uint8Array {
  const json = goJson({
    ...omitEmpty({ author: image.author }),
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
    Env: config.env,
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

interface RawImage {
  readonly author?: string;
  readonly architecture?: string;
  readonly os?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly variant?: string;
  readonly config?: RawConfig;
  readonly rootfs?: { readonly type?: string; readonly diff_ids?: readonly string[] | null };
  readonly history?: readonly {
    readonly created?: string;
    readonly created_by?: string;
    readonly author?: string;
    readonly comment?: string;
    readonly empty_layer?: boolean;
  }[];
}

interface RawConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
  readonly Env?: string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, unknown>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: RawHealthCheck | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[] | null;
}

interface RawHealthCheck {
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}
