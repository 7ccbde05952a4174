import { expect } from 'chai';
import { build } from '../../../client/build.js';
import type { ControlApi } from '../../../client/control-api.js';
import type { Daemon, SessionOffer } from '../../../client/daemon.js';
import { marshal, mkfile, scratch } from '../../../client/llb/index.js';
import { BuildError } from '../../../core/contracts/index.js';
import { control } from '../../../proto/index.js';

const { signal } = new AbortController();

/** A daemon whose builds do what `api` says, and the sessions that were opened and closed with it. */
function fakeDaemon(api: Partial<ControlApi>): Daemon & { readonly sessions: (SessionOffer | 'closed')[] } {
  const sessions: (SessionOffer | 'closed')[] = [];
  return {
    name: 'fake',
    sessions,
    control: { async *status() {}, ...api } as ControlApi,
    openSession: async (offer) => {
      sessions.push(offer);
      return {
        id: 'session',
        async [Symbol.asyncDispose]() {
          sessions.push('closed');
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

const solved = control.SolveResponse.create({ ExporterResponse: { key: 'value' } });

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

const readAll = async (messages: AsyncIterable<unknown>): Promise<void> => {
  for await (const _message of messages);
};

describe('client build', () => {
  it('sends the request under its session and answers what the exporters said', async () => {
    let sent: control.SolveRequest | undefined;
    const daemon = fakeDaemon({
      solve: async (request) => {
        sent = request;
        return solved;
      },
    });
    const exports = [{ type: 'oci', attrs: { name: 'x' } }];
    const response = await build(
      daemon,
      { ref: 'r', frontend: 'f', opts: { a: 'b' }, exports, entitlements: ['network.host'] },
      signal,
    );
    expect(response).to.deep.equal({ ref: 'r', exporterResponse: { key: 'value' } });
    expect(sent).to.deep.include({
      Ref: 'r',
      Session: 'session',
      Frontend: 'f',
      FrontendAttrs: { a: 'b' },
      Entitlements: ['network.host'],
      Exporters: [{ Type: 'oci', Attrs: { name: 'x' } }],
    });
    expect(daemon.sessions).to.deep.equal([{ exports }, 'closed']);
  });

  it('takes a definition as marshal answers it', async () => {
    let sent: control.SolveRequest | undefined;
    const daemon = fakeDaemon({
      solve: async (request) => {
        sent = request;
        return solved;
      },
    });
    const definition = marshal(scratch().file(mkfile('/x', 0o644, 'x'), { name: 'write x' }));
    await build(daemon, { definition }, signal);
    const digests = [...definition.metadata.keys()];
    expect(Object.keys(sent?.Definition?.metadata ?? {})).to.deep.equal(digests);
    expect(Object.values(sent?.Definition?.metadata ?? {})[0]?.description).to.deep.equal({
      'llb.customname': 'write x',
    });
  });

  it('leaves no timer behind when the progress ends before the build does', async () => {
    // mocha sets its own timer once the test waits.
    await Promise.resolve();
    const before = timers();
    let followed = Promise.resolve();
    const daemon = fakeDaemon({
      async *status() {
        yield control.StatusResponse.create();
      },
      solve: async () => {
        await followed;
        return solved;
      },
    });
    const watch = (messages: AsyncIterable<unknown>): Promise<void> => {
      followed = readAll(messages);
      return followed;
    };
    await build(daemon, { frontend: 'f', watch }, signal);
    expect(timers()).to.equal(before);
  });

  it('gives up a progress that never began, and closes the session of a failed build', async () => {
    const daemon = fakeDaemon({
      status: (_request, { signal: stop }) => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason))),
        }),
      }),
      solve: async () => {
        throw new BuildError('exec.exit', 'exit code: 1');
      },
    });
    const failure = await build(daemon, { frontend: 'f', watch: readAll }, signal).catch(
      (error: unknown) => error,
    );
    expect(failure).to.include({ code: 'exec.exit', message: 'failed to solve: exit code: 1' });
    expect(daemon.sessions.at(-1)).to.equal('closed');
  });
});
