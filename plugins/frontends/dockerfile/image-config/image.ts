import type { ImageEnv } from './image-env.js';

/** The image config that a build writes: OCI's, with Docker's additions. Health check times are nanoseconds. */
export interface Image {
  /** Of a base alone: what is built gets its time when it is exported. */
  readonly created?: string | undefined;
  author: string;
  architecture: string;
  os: string;
  osVersion: string;
  osFeatures: readonly string[];
  variant: string;
  config: ImageConfig;
  rootfs: { readonly type: string; readonly diffIds: readonly string[] | undefined };
  history: HistoryEntry[];
}

export interface ImageConfig {
  user: string;
  exposedPorts: Set<string>;
  env: ImageEnv;
  entrypoint: readonly string[];
  cmd: readonly string[];
  volumes: Set<string>;
  workingDir: string;
  labels: Map<string, string>;
  stopSignal: string;
  argsEscaped: boolean;
  healthcheck: HealthCheck | undefined;
  onBuild: readonly string[];
  shell: readonly string[];
}

export interface HealthCheck {
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface HistoryEntry {
  readonly created?: string | undefined;
  readonly createdBy: string;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly emptyLayer: boolean;
}

/** A copy that shares only what nobody changes. Written out: every stage takes some. */
export const cloneImage = ({ config, history, ...image }: Image): Image => ({
  ...image,
  config: {
    ...config,
    exposedPorts: new Set(config.exposedPorts),
    env: config.env.clone(),
    volumes: new Set(config.volumes),
    labels: new Map(config.labels),
  },
  history: [...history],
});
