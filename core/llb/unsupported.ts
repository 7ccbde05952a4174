/** What is known of LLB but cannot run, or may not run in this build: refused when it is loaded, by name. */
import { BuildError, unsupported } from '../contracts/errors.js';
import type { ExecBody, OpBody } from './model.js';
import type { LoadOptions } from './services.js';

export function refuseUnsupported(body: OpBody, options: LoadOptions): void {
  switch (body.kind) {
    case 'exec':
      refuseInExec(body, options);
      return;
    case 'source':
    case 'file':
    case 'build':
    case 'merge':
    case 'diff':
    case 'passthrough':
    case 'terminal':
      return;
    default:
      body satisfies never;
  }
}

function refuseInExec(exec: ExecBody, { entitlements }: LoadOptions): void {
  if (exec.network === 'host') requireEntitlement('network.host', entitlements);
  if (exec.security === 'insecure') requireEntitlement('security.insecure', entitlements);
  const [device] = exec.cdiDevices;
  if (device) throw unsupported('llb.unsupported', `CDI devices (${device.name}) are not supported yet`);
}

export function requireEntitlement(name: string, granted: ReadonlySet<string>): void {
  if (granted.has(name)) return;
  throw new BuildError('llb.entitlement', `${name} is not allowed`, {
    hint: `Grant it to this build with --allow ${name}; the daemon must allow it too.`,
  });
}
