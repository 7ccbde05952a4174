/** What the keys of `[worker.containerd]` do that are about containerd itself. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { newerContainerd } from '../../../scripts/lib/containerd.mjs';
import { buildArgs } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import type { Finished } from '../support/processes.js';
import { PrivateContainerd } from './private-containerd.js';

overWorkers(
  'settings of the worker on containerd',
  ({ name }) => suite(name === 'containerd-1.7' ? newerContainerd : undefined),
  { workers: ['containerd', 'containerd-1.7'] },
);

function suite(bin: string | undefined): void {
  let ground: Ground;
  let server: PrivateContainerd;
  let made = 0;
  before(async () => {
    ground = await Ground.open('containerd-settings');
    server = await PrivateContainerd.start(bin);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  const open = (settings: string): Promise<DaemonProcess> =>
    ground.daemon(`daemon${++made}`, {
      args: ['--oci-worker=false'],
      config: `[worker.containerd]\nenabled = true\naddress = "${server.socket}"\n${settings}\n`,
    });
  const build = async (daemon: DaemonProcess, ...outputs: readonly string[]): Promise<Finished> => {
    const folder = await ground.write(`c${++made}`, {
      Dockerfile: `FROM ${ground.base}\nRUN echo ${made}\n`,
    });
    return daemon.buildctl(buildArgs({ folder, outputs }));
  };

  it('keep everything in a namespace of that name', async () => {
    await using daemon = await open('namespace = "ci"');
    const { code, stderr } = await build(daemon, 'type=image,name=example.com/mine:1');
    expect(code, stderr.slice(-2000)).to.equal(0);
    expect(server.ctr('ci', 'images', 'ls', '-q')).to.equal('example.com/mine:1\n');
    expect(server.ctr('buildkit', 'images', 'ls', '-q')).to.equal('');
  });

  it('name the runtime', async () => {
    await using daemon = await open('runtime = { name = "io.containerd.nobody.v2" }');
    expect((await build(daemon)).stderr).to.match(
      /error: .*io\.containerd\.nobody\.v2|containerd-shim-nobody-v2/,
    );
  });

  it("name the path of the runtime's shim, where containerd takes one", async () => {
    const [shim, log] = [ground.path('shim'), ground.path('shim.log')];
    const real = join(bin ?? '/usr/bin', 'containerd-shim-runc-v2');
    await writeFile(shim, `#!/bin/sh\necho "$@" >>${log}\nexec ${real} "$@"\n`, { mode: 0o755 });
    const opened = open(`runtime = { path = "${shim}" }`);
    if (bin === undefined) {
      const refused = await opened.then(
        () => 'it started',
        (error: Error) => error.message,
      );
      expect(refused).to.match(/containerd .* takes no path of a runtime's shim; 1\.7 does/);
      return;
    }
    await using daemon = await opened;
    const { code, stderr } = await build(daemon);
    expect(code, stderr.slice(-2000)).to.equal(0);
    expect(readFileSync(log, 'utf8')).to.match(/ start$/m);
  });
}
