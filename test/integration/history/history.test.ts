/** Records of builds over a socket: what clients list, read and change, and what a daemon that was killed leaves. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { marshal, mkdir, scratch } from '../../../client/llb/index.js';
import { definitionToProto } from '../../../proto/definition.js';
import { control } from '../../../proto/index.js';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';

const because = 'the daemon does this, and whatever runs its steps has no part in it';

interface Row {
  readonly type?: number;
  readonly record: {
    readonly Ref: string;
    readonly error?: { readonly message: string };
    readonly logs?: { readonly digest: string };
    readonly trace?: { readonly digest: string };
    readonly Result?: { readonly Results: Readonly<Record<string, { readonly digest: string }>> };
    readonly pinned?: boolean;
    readonly numTotalSteps?: number;
    readonly numCachedSteps?: number;
  };
}

const config = '[history]\ntraces = true\nmaxAge = "1h"\nmaxEntries = 10\n';

onWorker('oci', because, 'history of a daemon', () => {
  let ground: Ground;
  let folder: string;
  before(async () => {
    ground = await Ground.open('history');
    const dockerfile = `FROM ${ground.base}\nARG WHAT=echo\nRUN $WHAT of this build\n`;
    folder = await ground.write('context', { Dockerfile: dockerfile });
  });
  after(() => ground[Symbol.asyncDispose]());

  const succeed = async (daemon: DaemonProcess, args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await daemon.buildctl(args);
    expect(code, stderr).to.equal(0);
    return stdout;
  };

  /** Builds, and answers the ref. */
  async function build(daemon: DaemonProcess, what = 'echo'): Promise<string> {
    const file = ground.path('ref');
    const outputs = [`type=oci,dest=${ground.path('out.tar')}`];
    const opts = { 'build-arg:WHAT': what };
    await daemon.buildctl(buildArgs({ folder, opts, outputs, args: ['--ref-file', file] }));
    return readFile(file, 'utf8');
  }

  async function records(daemon: DaemonProcess): Promise<Row['record'][]> {
    const lines = await succeed(daemon, ['debug', 'histories', '--format', '{{json .}}\n']);
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as Row).record);
  }

  const find = async (daemon: DaemonProcess, ref: string): Promise<Row['record'] | undefined> =>
    (await records(daemon)).find(({ Ref }) => Ref === ref);

  it('remembers what was built, over a restart, with log, image and trace', async () => {
    let ref: string;
    {
      await using daemon = await ground.daemon('one', { config });
      ref = await build(daemon);
      const failed = await build(daemon, 'false');
      expect(await find(daemon, failed)).to.have.nested.property('error.message');
      expect(await succeed(daemon, ['debug', 'logs', '--progress=plain', failed])).to.contain('exit code: 1');
    }
    await using daemon = await ground.daemon('one', { config });
    const record = await find(daemon, ref);
    expect(record?.error).to.equal(undefined);
    expect(record?.numTotalSteps).to.be.at.least(4);

    expect(await succeed(daemon, ['debug', 'logs', '--progress=plain', ref])).to.contain('of this build');
    const manifest = await succeed(daemon, ['debug', 'get', record!.Result!.Results[0]!.digest]);
    expect(JSON.parse(manifest)).to.have.property('layers');

    const { data } = JSON.parse(await succeed(daemon, ['debug', 'trace', ref]));
    const names = data[0].spans.map(({ operationName }: { operationName: string }) => operationName);
    expect(names).to.include.members(['solve', 'run process', 'exporting to oci image format']);
  });

  it('is changed and pruned by clients', async () => {
    await using daemon = await ground.daemon('two', { config });
    const [kept, other] = [await build(daemon), await build(daemon)];
    await succeed(daemon, ['debug', 'ctl', '--pin', kept]);
    expect((await find(daemon, kept))?.pinned).to.equal(true);
    await succeed(daemon, ['prune-histories']);
    expect((await records(daemon)).map(({ Ref }) => Ref)).to.deep.equal([kept]);
    const gone = await daemon.buildctl(['debug', 'ctl', '--pin', other]);
    expect(gone.stderr).to.contain(`there is no record of a build ${other}`);
    await succeed(daemon, ['debug', 'ctl', '--delete', kept]);
    expect(await records(daemon)).to.deep.equal([]);
  });

  it('tells a monitor of builds as they begin and end', async () => {
    await using daemon = await ground.daemon('two', { config });
    const before = await build(daemon);
    const monitor = daemon.startBuildctl(['debug', 'monitor', '--completed']);
    const lines = createInterface({ input: monitor.stdout! })[Symbol.asyncIterator]();
    /** The next event of a build. */
    const next = async (ref: string): Promise<string> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) return 'the end';
        const event = /^event: (\w+) ref:(\w+)$/.exec(value);
        if (event?.[2] === ref) return event[1]!;
      }
    };
    expect(await next(before), 'what has ended comes first').to.equal('COMPLETE');
    const ref = await build(daemon);
    await succeed(daemon, ['debug', 'ctl', '--delete', ref]);
    expect([await next(ref), await next(ref)]).to.deep.equal(['STARTED', 'COMPLETE']);
    let event = await next(ref);
    if (event === 'COMPLETE') event = await next(ref); // with its trace
    expect(event).to.equal('DELETED');
    const ended = once(monitor, 'close');
    monitor.kill('SIGINT');
    await ended;
  });

  it('marks a build as failed that was cut off with its daemon', async () => {
    {
      await using daemon = await ground.daemon('three', { config });
      const client = daemon.startBuildctl(
        buildArgs({ folder, opts: { 'build-arg:WHAT': 'sleep 600; echo' }, args: ['--no-cache'] }),
      );
      const running = createInterface({ input: client.stderr! });
      for await (const line of running) if (line.includes('RUN') && line.includes('started')) break;
      const ended = once(client, 'close');
      await daemon.stop('SIGKILL');
      await ended;
    }
    await using daemon = await ground.daemon('three', { config });
    const all = await records(daemon);
    expect(all).to.have.length(1);
    expect(all[0]?.error?.message).to.contain('killed while this build ran');
  });

  it('tells how a build went to who asks when it is over, of one without a record as well', async () => {
    await using daemon = await ground.daemon('four', { config });
    await using client = await connectDaemon(daemon.address);
    await using session = await client.openSession({ exports: [] });
    const signal = AbortSignal.timeout(10_000);
    for (const Internal of [false, true]) {
      const Ref = `late-${Internal}`;
      const Definition = definitionToProto(marshal(scratch().file(mkdir('/late', 0o755))));
      const request = { Ref, Session: session.id, Definition, Internal };
      await client.control.solve(control.SolveRequest.create(request), { signal });
      const names: string[] = [];
      // docker buildx gives up three seconds after the build has ended, and fails then.
      const asking = AbortSignal.timeout(3000);
      for await (const { vertexes } of client.control.status({ Ref }, { signal: asking })) {
        names.push(...vertexes.map(({ name }) => name));
      }
      expect(names, Ref).to.include('mkdir /late');
    }
    expect((await records(daemon)).map(({ Ref }) => Ref)).to.deep.equal(['late-false']);
  });
});
