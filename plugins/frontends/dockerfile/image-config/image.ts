/** The image config that a build writes: OCI's, with Docker's additions. Health check times are nanoseconds. */
export interface Image {
  author: string;
  architecture: string;
  os: string;
  osVersion: string;
  osFeatures: readonly string[];
  variant: string;
  config: ImageConfig;
  rootfs: { type: string; diffIds: readonly string[] | undefined };
  history: HistoryEntry[];
}

export interface ImageConfig {
  user: string;
  exposedPorts: Set<string>;
  env: string[];
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

export const cloneImage = (image: Image): Image => structuredClone(image);
