import { expect } from 'chai';
import { type BuildProgram, solveWithProgram } from '../../../client/build-program.js';
import type { BridgeApi, ControlApi } from '../../../client/control-api.js';
import { BuildError } from '../../../core/contracts/index.js';
import { control, gateway } from '../../../proto/index.js';
import { errorOf } from '../../../proto/status.js';

const { signal } = new AbortController();
const request = control.SolveRequest.create({ Ref: 'r' });

/** A daemon whose Solve ends with what Return says, as BuildKit's does. */
class Daemon {
  readonly calls: string[] = [];
  #end!: (returned: gateway.ReturnRequest) => void;
  readonly #returned = new Promise<gateway.ReturnRequest>((resolve) => {
    this.#end = resolve;
  });

  readonly api = {
    solve: async (_request: unknown, call: { readonly signal: AbortSignal }) => {
      const stopped = new Promise<never>((_, reject) => {
        call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
      });
      const { error } = await Promise.race([this.#returned, stopped]);
      if (error) throw errorOf(error);
      return control.SolveResponse.create({ ExporterResponse: { done: 'yes' } });
    },
    bridge: (ref: string): Partial<BridgeApi> => ({
      ping: async () => {
        this.calls.push(`ping ${ref}`);
        return gateway.PongResponse.create({});
      },
      solve: async ({ Frontend }) => {
        this.calls.push(`solve ${Frontend}`);
        return gateway.SolveResponse.create({ result: { metadata: { key: Buffer.from('value') } } });
      },
      return: async (returned) => {
        this.calls.push('return');
        this.#end(gateway.ReturnRequest.create(returned));
        return gateway.ReturnResponse.create({});
      },
    }),
  } as unknown as ControlApi;
}

const asking: BuildProgram = async (bridge, call) => {
  const { result } = await bridge.solve({ Frontend: 'f' }, call);
  return result ?? {};
};

describe('builds led by the client', () => {
  it('ping, solve, and end with what the program returns', async () => {
    const daemon = new Daemon();
    const { ExporterResponse } = await solveWithProgram(daemon.api, request, asking, { signal });
    expect(ExporterResponse).to.deep.equal({ done: 'yes' });
    expect(daemon.calls).to.deep.equal(['ping r', 'solve f', 'return']);
  });

  it('fail as their program fails, after the daemon has been told', async () => {
    const daemon = new Daemon();
    const failing: BuildProgram = async () => {
      throw new BuildError('test.failed', 'no luck', { grpcCode: 'FailedPrecondition' });
    };
    const error = await solveWithProgram(daemon.api, request, failing, { signal }).catch((reason) => reason);
    expect([error.message, error.grpcCode]).to.deep.equal(['no luck', 'FailedPrecondition']);
    expect(daemon.calls).to.deep.equal(['ping r', 'return']);
  });

  it('stop their program when the daemon has ended the build', async () => {
    const daemon = new Daemon();
    const refusing = { ...daemon.api, solve: () => Promise.reject(new Error('refused')) };
    let stopped: unknown;
    const waiting: BuildProgram = (_bridge, call) =>
      new Promise((_, reject) => {
        call.signal.addEventListener('abort', () => {
          stopped = call.signal.aborted;
          reject(call.signal.reason);
        });
      });
    const error = await solveWithProgram(refusing, request, waiting, { signal }).catch((reason) => reason);
    expect(error.message).to.equal('refused');
    expect(stopped).to.equal(true);
  });
});
