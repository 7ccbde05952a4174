import { joinPath } from '../../core/util/gofs/path.js';
import { normalizePlatform, type Platform } from '../../core/util/platform.js';
import { EnvList } from './env-list.js';

export type NetworkMode = 'sandbox' | 'host' | 'none';
export type SecurityMode = 'sandbox' | 'insecure';
export interface HostIp {
  readonly host: string;
  readonly ip: string;
}
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** What a state hands on to the steps run on it. None of it is part of the tree itself. */
export interface Settings {
  readonly dir: string;
  /** In the order in which the variables were last set. */
  readonly env: ReadonlyMap<string, string>;
  readonly user: string;
  readonly hostname: string;
  readonly cgroupParent: string;
  readonly network: NetworkMode;
  readonly security: SecurityMode;
  readonly extraHosts: readonly HostIp[];
  readonly ulimits: readonly Ulimit[];
  readonly platform: Platform | undefined;
}

export const defaultSettings: Settings = {
  dir: '/',
  env: new Map(),
  user: '',
  hostname: '',
  cgroupParent: '',
  network: 'sandbox',
  security: 'sandbox',
  extraHosts: [],
  ulimits: [],
  platform: undefined,
};

/** A variable that is set again moves to the end, as in Go's EnvList. */
export function setEnv(
  env: ReadonlyMap<string, string>,
  added: Iterable<readonly [string, string]>,
): ReadonlyMap<string, string> {
  let next = env;
  for (const [key, value] of added) next = EnvList.set(next, key, value);
  return next;
}

export const resolveDir = (from: string, dir: string): string =>
  dir.startsWith('/') ? dir : joinPath(from === '' ? '/' : from, dir);

export const settingsOn = (settings: Settings, platform: Platform | undefined): Settings =>
  platform === undefined ? settings : { ...settings, platform: normalizePlatform(platform) };
