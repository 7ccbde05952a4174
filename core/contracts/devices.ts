import { type Token, token } from './token.js';

/**
 * The devices that descriptions on this machine offer to steps, by the rules of the Container Device Interface. A
 * device is a list of edits to a container: nodes, mounts, variables, hooks.
 */
export interface Devices {
  /** By name. */
  list(): readonly DeviceInfo[];
  /**
   * The qualified names of what is wished for, each once. A wish is `vendor/class=name`, `vendor/class` (the first
   * one), `vendor/class=*` (all), or the value of the annotation `org.mobyproject.buildkit.device.class`. One that
   * leads nowhere fails unless it is optional.
   */
  resolve(wishes: readonly DeviceWish[]): readonly string[];
  /** What containers with these devices need; names are qualified. Looks at the device files of the machine. */
  edits(names: readonly string[]): ContainerEdits;
}
export const Devices: Token<Devices> = token('Devices');

export interface DeviceWish {
  readonly name: string;
  readonly optional: boolean;
}

export interface DeviceInfo {
  /** `vendor/class=name`. */
  readonly name: string;
  /** Builds get it without being granted anything. */
  readonly autoAllow: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/** In the order they are made. */
export interface ContainerEdits {
  /** `NAME=value`, over those of the step. */
  readonly env: readonly string[];
  readonly deviceNodes: readonly DeviceNode[];
  readonly mounts: readonly DeviceMount[];
  readonly hooks: readonly DeviceHook[];
  readonly additionalGids: readonly number[];
  readonly intelRdt?: IntelRdt;
}

export interface DeviceNode {
  /** In the container. */
  readonly path: string;
  /** On the machine. */
  readonly hostPath: string;
  readonly type: DeviceType;
  readonly major: number;
  readonly minor: number;
  /** Some of `rwm`. */
  readonly permissions: string;
  readonly fileMode?: number;
  /** Absent: those of the step. */
  readonly uid?: number;
  readonly gid?: number;
}
export type DeviceType = 'b' | 'c' | 'u' | 'p';

export interface DeviceMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly options: readonly string[];
  readonly type: string;
}

export const hookNames = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

export interface DeviceHook {
  readonly hookName: (typeof hookNames)[number];
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface IntelRdt {
  readonly closID?: string;
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableCMT?: boolean;
  readonly enableMBM?: boolean;
}
