/**
 * Builds that the client leads itself, as `docker buildx` does: Control.Solve without a frontend waits, while the client
 * asks for solves through the LLBBridge of the same ref and ends with Return. Wire facts E2.1–E2.3.
 */
import type { control, gateway, Init } from '../proto/index.js';
import { statusOf } from '../proto/status.js';
import type { BridgeApi, Call, ControlApi } from './control-api.js';

/** Answers the result, made of what the bridge's solves answered. */
export type BuildProgram = (bridge: BridgeApi, call: Call) => Promise<Init<gateway.Result>>;

/** How long the daemon may take to end a build whose program has failed, in milliseconds. */
const END_MS = 5000;

export async function solveWithProgram(
  api: ControlApi,
  request: control.SolveRequest,
  program: BuildProgram,
  call: Call,
): Promise<control.SolveResponse> {
  const ended = new AbortController();
  const gaveUp = new AbortController();
  const solving = api.solve(request, { ...call, signal: AbortSignal.any([call.signal, gaveUp.signal]) });
  const during = { ...call, signal: AbortSignal.any([call.signal, ended.signal]) };
  const running = run(api.bridge(request.Ref), program, during);
  let patience: NodeJS.Timeout | undefined;
  running.catch(() => {
    patience = setTimeout(() => gaveUp.abort(), END_MS);
  });
  try {
    const response = await solving;
    await running;
    return response;
  } catch (error) {
    // The daemon did not end the build, so the reason is only known here.
    throw gaveUp.signal.aborted ? await running.catch((reason: unknown) => reason) : error;
  } finally {
    ended.abort();
    // Only to be over with it: its failure was thrown above, or the daemon's answer is the better one.
    await running.catch(() => undefined);
    clearTimeout(patience);
  }
}

async function run(bridge: BridgeApi, program: BuildProgram, call: Call): Promise<void> {
  await bridge.ping(call);
  const outcome = await program(bridge, call).then(
    (result) => ({ result }),
    (reason: unknown) => ({ error: statusOf(reason), reason }),
  );
  if ('result' in outcome) return void (await bridge.return(outcome, call));
  await bridge.return({ error: outcome.error }, call);
  throw outcome.reason;
}
