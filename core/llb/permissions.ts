/** What a build may have only if it was granted: looked at when its steps are loaded. */
import type { Devices } from '../contracts/devices.js';
import { BuildError } from '../contracts/errors.js';
import { type DeviceGrants, deviceGrants, permittedDevices } from './device-grants.js';
import type { ExecBody, OpBody } from './model.js';
import type { LoadOptions } from './services.js';

/** The op as it may run: the devices of an exec op are those that it really gets. */
export function permitted(body: OpBody, { entitlements }: LoadOptions, devices: Devices): OpBody {
  return body.kind === 'exec' ? permittedExec(body, entitlements, devices) : body;
}

function permittedExec(exec: ExecBody, entitlements: ReadonlySet<string>, devices: Devices): ExecBody {
  if (exec.network === 'host') requireEntitlement('network.host', entitlements);
  if (exec.security === 'insecure') requireEntitlement('security.insecure', entitlements);
  if (exec.cdiDevices.length === 0) return exec;
  const grants: DeviceGrants = deviceGrants(entitlements);
  return { ...exec, cdiDevices: permittedDevices(exec.cdiDevices, grants, devices) };
}

export function requireEntitlement(name: string, granted: ReadonlySet<string>): void {
  if (granted.has(name)) return;
  throw new BuildError('llb.entitlement', `${name} is not allowed`, {
    hint: `Grant it to this build with --allow ${name}; the daemon must allow it too.`,
  });
}
