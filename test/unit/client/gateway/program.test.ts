/** A frontend in the client, against the bridge of a build in this process. */
import { expect } from 'chai';
import { programOf } from '../../../../client/gateway/program.js';
import { BridgeCalls } from '../../../../core/control/bridge-calls.js';
import { LlbBridge } from '../../../../core/gateway/llb-bridge.js';
import { type FakeBuild, fakeBuild, local } from '../../gateway/fakes.js';

const signal = new AbortController().signal;

describe('a frontend in the client', () => {
  let build: FakeBuild;
  let bridge: LlbBridge;
  let calls: BridgeCalls;

  beforeEach(() => {
    build = fakeBuild();
    build.job.answer = async () => build.services.worker.refs.make({ '/a': 'hello' });
    bridge = new LlbBridge(build.bridge);
    calls = new BridgeCalls(async () => bridge);
  });
  afterEach(() => bridge[Symbol.asyncDispose]());

  it('answers what it made with the gateway', async () => {
    const program = programOf(
      {
        solve: async (gateway, { opts }) => {
          const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
          const text = Buffer.from((await ref?.readFile('/a', {}, signal)) ?? []).toString();
          return { ref, metadata: new Map([['said', Buffer.from(`${opts.greeting}: ${text}`)]]) };
        },
      },
      { greeting: 'it says' },
    );
    const result = await program(calls, { signal });
    expect(build.bridge.ref(result.ref?.id ?? '')).to.not.equal(undefined);
    expect(String(result.metadata?.said)).to.equal('it says: hello');
  });

  it('runs processes in this process as over a socket', async () => {
    let said = '';
    build.services.worker.run = async (_spec, io) => {
      await io.stdout(Buffer.from('from inside'));
      return { exitCode: 4, oomKilled: false };
    };
    let exitCode: number | undefined;
    const program = programOf({
      solve: async (gateway) => {
        const { ref } = await gateway.solve({ definition: local('ctx') }, signal);
        const box = await gateway.newContainer({ mounts: [{ dest: '/', ref }] }, signal);
        const hear = (data: Uint8Array): void => {
          said += Buffer.from(data);
        };
        const process = await box.start({ args: ['x'] }, { stdout: hear, stderr: hear }, signal);
        ({ exitCode } = await process.ended);
        return { metadata: new Map() };
      },
    });
    await program(calls, { signal });
    expect([said, exitCode]).to.deep.equal(['from inside', 4]);
  });
});
