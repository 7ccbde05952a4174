import type { Devices } from '../contracts/devices.js';
import type { Logger } from '../contracts/logger.js';
import { CdiDevices } from './cdi-devices.js';
import { noDevices } from './no-devices.js';

/** `[cdi]` of the configuration. */
export interface DeviceSettings {
  readonly disabled: boolean;
  readonly specDirs: readonly string[];
  readonly autoAllowed: readonly string[];
}

export const openDevices = ({ disabled, specDirs, autoAllowed }: DeviceSettings, logger: Logger): Devices =>
  disabled ? noDevices : new CdiDevices({ folders: specDirs, autoAllowed }, logger);
