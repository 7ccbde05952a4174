import fs from 'node:fs/promises';
import { expect } from 'chai';
import { build } from '../../../client/build.js';
import { connectDaemon } from '../../../client/grpc/connect.js';
import { image, marshal, merge, type State } from '../../../client/llb/index.js';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { onWorker } from '../support/over-workers.js';
import { PrivateContainerd } from './private-containerd.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const riscv64 = { os: 'linux', architecture: 'riscv64' };
const onContainerd = ['labels."org.mobyproject.buildkit.worker.executor"==containerd'];
const onOci = ['labels."org.mobyproject.buildkit.worker.executor"==oci'];
/** Where a step's root lies tells whose worker it is. */
const whereami = "sed -n 's/.* - overlay .*upperdir=\\([^,]*\\).*/\\1/p' /proc/self/mountinfo | head -n 1";

onWorker('containerd', 'it is about containerd beside another worker', 'a daemon with two workers', () => {
  let ground: Ground;
  let server: PrivateContainerd;
  let daemon: DaemonProcess;
  before(async () => {
    ground = await Ground.open('several-workers');
    server = await PrivateContainerd.start();
    daemon = await ground.daemon('home', {
      config: `
        [worker.oci]
        platforms = ["linux/amd64"]
        [worker.containerd]
        enabled = true
        address = "${server.socket}"
        platforms = ["linux/amd64", "linux/riscv64"]
      `,
    });
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  const sh = (state: State, script: string, options: object): State =>
    state.run({ args: ['/bin/sh', '-c', script], ...options }).root();
  const base = (): State => image(ground.base, { platform: amd64 });
  /** What its tree holds under /out, by name. */
  const outOf = async (state: State, name: string): Promise<Record<string, string>> => {
    await using client = await connectDaemon(daemon.address);
    const path = ground.path(name);
    const exports = [{ type: 'local', attrs: {}, target: { kind: 'folder', path } as const }];
    await build(client, { definition: marshal(state), exports }, AbortSignal.timeout(60_000));
    const names = await fs.readdir(`${path}/out`);
    const texts = names.map(async (file) => [
      file,
      (await fs.readFile(`${path}/out/${file}`, 'utf8')).trim(),
    ]);
    return Object.fromEntries(await Promise.all(texts));
  };
  const expectOn = (worker: 'oci' | 'containerd', upper: string | undefined): void => {
    const places = { oci: daemon.root, containerd: server.dir };
    expect(upper)
      .to.be.a('string')
      .and.satisfy((text: string) => text.startsWith(places[worker]), upper);
  };

  it('runs each step where its constraints allow, and hands trees from one to the other', async () => {
    const one = sh(base(), `mkdir /out; echo one >/out/a; ${whereami} >/out/one`, { filters: onOci });
    const two = sh(one, `cat /out/a >/out/b; ${whereami} >/out/two`, { filters: onContainerd });
    const three = sh(two, `rm /out/a; ${whereami} >/out/three`, { filters: onOci });
    const out = await outOf(three, 'chain');
    expect(Object.keys(out).sort()).to.deep.equal(['b', 'one', 'three', 'two']);
    expect(out.b).to.equal('one');
    expectOn('oci', out.one);
    expectOn('containerd', out.two);
    expectOn('oci', out.three);
  });

  it('joins trees of both', async () => {
    const write = (name: string, filters: readonly string[]): State =>
      sh(base(), `mkdir -p /out; echo ${name} >/out/${name}`, { filters });
    const both = merge([write('left', onOci), write('right', onContainerd)]);
    expect(await outOf(both, 'joined')).to.deep.equal({ left: 'left', right: 'right' });
  });

  it('runs what the first worker does not run on the one that does', async () => {
    const step = sh(base(), `mkdir /out; ${whereami} >/out/foreign`, { platform: riscv64 });
    const native = sh(step, `${whereami} >/out/native`, { platform: amd64 });
    const out = await outOf(native, 'platforms');
    expectOn('containerd', out.foreign);
    expectOn('oci', out.native);
  });

  it('takes cached results of either, and runs nothing again', async () => {
    const step = (filters: readonly string[]): State =>
      sh(base(), 'mkdir /out; head -c 8 /dev/urandom | od -An -tx1 >/out/random', { filters });
    const first = await outOf(step(onContainerd), 'cached-there');
    expect(await outOf(step(onOci), 'cached-here')).to.deep.equal(first);
    const on = sh(step(onOci), 'cp /out/random /out/copy', { filters: onOci });
    expect(await outOf(on, 'cached-on')).to.deep.equal({ ...first, copy: first.random });
  });

  it('builds the platforms of a Dockerfile, each where it runs', async () => {
    const whose = JSON.stringify(whereami.replace('sed', '/busybox sed').replace('head', '/busybox head'));
    const folder = await ground.write('multi', {
      Dockerfile: `
        FROM --platform=linux/amd64 ${ground.base} AS base
        FROM scratch
        COPY --from=base /bin/busybox /busybox
        RUN ["/busybox", "mkdir", "/out"]
        RUN ["/busybox", "sh", "-c", ${whose.replace(/"$/, ' >/out/where"')}]
      `,
    });
    const built = await daemon.buildctl(
      buildArgs({
        folder,
        opts: { platform: 'linux/amd64,linux/riscv64' },
        outputs: [`type=local,dest=${ground.path('multi-out')}`, `type=oci,dest=${ground.path('multi.tar')}`],
      }),
    );
    expect(built.code, built.stderr).to.equal(0);
    const of = (platform: string): Promise<string> =>
      fs.readFile(ground.path('multi-out', platform, 'out/where'), 'utf8');
    expectOn('oci', await of('linux_amd64'));
    expectOn('containerd', await of('linux_riscv64'));
  });

  it('says which workers there are when none is allowed', async () => {
    const refused = await outOf(sh(base(), 'true', { filters: ['labels.gpu==yes'] }), 'none').catch(
      (error: Error) => error.message,
    );
    expect(refused).to.contain("no worker matches the op's constraints labels.gpu==yes");
  });
});
