/** A frontend that runs in the client: the build is the client's to lead. Wire facts E2. */
import type { Frontend, FrontendRequest } from '../../core/contracts/index.js';
import { resultToProto } from '../../proto/frontend-result.js';
import type { BuildProgram } from '../build-program.js';
import { RemoteGateway } from './remote-gateway.js';

/** For `build(daemon, { program: programOf(frontend, { target: 'x' }) }, signal)`. */
export const programOf =
  (
    frontend: Frontend,
    opts: FrontendRequest['opts'] = {},
    inputs: FrontendRequest['inputs'] = new Map(),
  ): BuildProgram =>
  async (bridge, { signal }) => {
    // The daemon knows the session of the build that it serves.
    await using gateway = await RemoteGateway.open(bridge, '', signal);
    return resultToProto(
      await gateway.settled(() => frontend.solve(gateway, { opts, inputs }, signal)),
      true,
    );
  };
