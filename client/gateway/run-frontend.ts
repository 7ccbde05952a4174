/** The program of a frontend image: `await runFrontend(new MyFrontend())`. */
import type { Frontend } from '../../core/contracts/index.js';
import { RemoteGateway } from './remote-gateway.js';
import { openStdio } from './stdio.js';
import { StreamBridge } from './stream-bridge.js';

/**
 * Serves one build of the daemon that runs this process as a frontend, over stdin and stdout, and ends with it. What the
 * frontend throws is the build's error, details and all. The signal, if there is one, cancels the frontend's work.
 */
export async function runFrontend(frontend: Frontend, signal: AbortSignal = never): Promise<void> {
  await using connection = new StreamBridge(openStdio());
  const { BUILDKIT_SESSION_ID = '' } = process.env;
  await using gateway = await RemoteGateway.open(connection, BUILDKIT_SESSION_ID, signal);
  await gateway.finish(async () => {
    const request = { opts: frontendOpts(process.env), inputs: await gateway.inputs(signal) };
    return frontend.solve(gateway, request, signal);
  }, signal);
}

const never = new AbortController().signal;

/** `BUILDKIT_FRONTEND_OPT_<n>=key=value` (wire facts E11.2). */
export function frontendOpts(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const opts = Object.entries(env).flatMap(([name, pair]) => {
    if (pair === undefined || !/^BUILDKIT_FRONTEND_OPT_\d+$/.test(name)) return [];
    const equals = pair.indexOf('=');
    return equals < 0 ? [[pair, ''] as const] : [[pair.slice(0, equals), pair.slice(equals + 1)] as const];
  });
  return Object.fromEntries(opts);
}
