import type { Devices } from '../contracts/devices.js';
import { BuildError } from '../contracts/errors.js';

const off = (name: string): Error =>
  new BuildError('devices.off', `the device ${name} is asked for, but devices are switched off`, {
    grpcCode: 'FailedPrecondition',
    hint: 'The configuration of the daemon says so: `disabled` of [cdi], or --cdi-disabled.',
  });

/** Of a daemon that is not to give any. */
export const noDevices: Devices = {
  list: () => [],
  resolve(wishes) {
    const required = wishes.find(({ optional }) => !optional);
    if (required) throw off(required.name);
    return [];
  },
  edits(names) {
    const [name] = names;
    if (name !== undefined) throw off(name);
    return { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] };
  },
};
