/** Containers of a frontend that runs in the client, over a daemon's socket: real processes, terminals and signals. */
import { expect } from 'chai';
import { build } from '../../../client/build.js';
import type { Daemon } from '../../../client/daemon.js';
import { programOf } from '../../../client/gateway/index.js';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { image, marshal } from '../../../client/llb/index.js';
import { BuildError, type ErrorDetail } from '../../../core/contracts/errors.js';
import type { ExecIo } from '../../../core/contracts/executor.js';
import type { Frontend, Gateway, GatewayRef } from '../../../core/contracts/frontend.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import { run } from '../support/processes.js';

const never = new AbortController().signal;

overWorkers('containers of a frontend', (worker) => {
  let ground: Ground;
  let process: DaemonProcess;
  let daemon: Daemon;

  before(async () => {
    ground = await Ground.open('containers', worker);
    process = await ground.daemon('daemon', {
      config: `[registry."${ground.registry.address}"]\nhttp = true\n`,
    });
    daemon = await connectDaemon(process.address);
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await process?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  /** A build that does nothing but this. */
  const during = (work: (gateway: Gateway) => Promise<void>): Promise<unknown> => {
    const frontend: Frontend = {
      solve: async (gateway) => {
        await work(gateway);
        return { metadata: new Map() };
      },
    };
    return build(daemon, { program: programOf(frontend) }, never);
  };
  const base = async (gateway: Gateway): Promise<GatewayRef | undefined> =>
    (await gateway.solve({ definition: marshal(image(ground.base)) }, never)).ref;

  /** Hears what is said, and lets a test wait for words. */
  function ears(): ExecIo & {
    readonly text: () => string;
    readonly hears: (words: string) => Promise<void>;
  } {
    let text = '';
    let wake = (): void => {};
    const hear = (data: Uint8Array): void => {
      text += Buffer.from(data);
      wake();
    };
    return {
      stdout: hear,
      stderr: hear,
      text: () => text,
      hears: async (words) => {
        while (!text.includes(words)) await new Promise<void>((resolve) => (wake = resolve));
      },
    };
  }

  it('run several processes, each with its own streams and exit code', async () => {
    await during(async (gateway) => {
      const box = await gateway.newContainer({ mounts: [{ dest: '/', ref: await base(gateway) }] }, never);
      const first = ears();
      const keeper = await box.start({ args: ['/bin/sh', '-c', 'echo up; exec sleep 1000'] }, first, never);
      await first.hears('up');
      async function* input(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('to be upper\n');
      }
      const second = ears();
      const upper = await box.start({ args: ['tr', 'a-z', 'A-Z'] }, { ...second, stdin: input() }, never);
      expect((await upper.ended).exitCode).to.equal(0);
      expect(second.text()).to.equal('TO BE UPPER\n');
      const third = await box.start({ args: ['/bin/sh', '-c', 'exit 9'] }, ears(), never);
      expect((await third.ended).exitCode).to.equal(9);
      keeper.signal('SIGKILL');
      expect((await keeper.ended).exitCode).to.equal(137);
    });
  });

  it('have terminals that take their size and control characters', async () => {
    await during(async (gateway) => {
      const box = await gateway.newContainer({ mounts: [{ dest: '/', ref: await base(gateway) }] }, never);
      const typed: Uint8Array[] = [];
      let wake = (): void => {};
      const type = (text: string): void => {
        typed.push(Buffer.from(text));
        wake();
      };
      async function* input(): AsyncGenerator<Uint8Array> {
        for (;;) {
          const data = typed.shift();
          if (data) yield data;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      const heard = ears();
      const args = [
        '/bin/sh',
        '-c',
        'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.1; done',
      ];
      const shell = await box.start({ args, tty: true }, { ...heard, stdin: input() }, never);
      await heard.hears('ready');
      shell.resize({ rows: 24, columns: 80 });
      type('\x03');
      expect((await shell.ended).exitCode).to.equal(5);
      expect(heard.text()).to.contain('interrupted');
    });
  });

  it('look into what a failed step had and left, which is gone after the build', async () => {
    const heard = { left: ears(), before: ears() };
    await during(async (gateway) => {
      const step = image(ground.base)
        .run({ args: ['/bin/sh', '-c', 'echo x >/left; exit 7'] })
        .root();
      const { ref } = await gateway.solve({ definition: marshal(step) }, never);
      const error = await ref!.evaluate(never).then(
        () => undefined,
        (reason: unknown) => BuildError.from(reason),
      );
      const solve = error?.details.find(
        (detail): detail is Extract<ErrorDetail, { type: 'solve' }> => detail.type === 'solve',
      );
      const look = async (resultId = '', io: ExecIo): Promise<void> => {
        await using box = await gateway.newContainer({ mounts: [{ dest: '/', resultId }] }, never);
        const process = await box.start({ args: ['/bin/sh', '-c', 'cat /left || echo none'] }, io, never);
        await process.ended;
      };
      await look(solve?.mountIds[0], heard.left);
      await look(solve?.inputIds[0], heard.before);
    });
    expect(heard.left.text()).to.equal('x\n');
    expect(heard.before.text()).to.contain('none');
    const { record } = await daemon.control.diskUsage({ filter: [], ageLimit: 0 } as never, {
      signal: never,
    });
    expect(record.filter(({ Description }) => Description.includes('exit 7'))).to.deep.equal([]);
  });

  it('end with the build', async () => {
    const heard = ears();
    await during(async (gateway) => {
      const box = await gateway.newContainer({ mounts: [{ dest: '/', ref: await base(gateway) }] }, never);
      await box.start({ args: ['/bin/sh', '-c', 'echo up; sleep 1234'] }, heard, never);
      await heard.hears('up');
    });
    expect((await run('pgrep', ['-fx', 'sleep 1234'])).stdout).to.equal('');
  });
});
