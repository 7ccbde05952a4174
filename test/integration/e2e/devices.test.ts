import { mkdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { buildArgs, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { overWorkers } from '../support/over-workers.js';
import type { Finished } from '../support/processes.js';

overWorkers('devices of steps', (worker) => {
  let ground: Ground;
  let daemon: DaemonProcess;
  /** What is described, and its description. */
  let machine: string;
  let builds = 0;
  before(async () => {
    ground = await Ground.open('devices', worker);
    machine = ground.site.home('machine');
    mkdirSync(`${machine}/library`, { recursive: true });
    writeFileSync(`${machine}/library/version`, '7\n');
    writeFileSync(`${machine}/acme.json`, JSON.stringify(description()));
    const config = `[cdi]\nspecDirs = [${JSON.stringify(machine)}]\n`;
    daemon = await ground.daemon('daemon', { config });
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  const description = () => ({
    cdiVersion: '0.7.0',
    kind: 'acme.com/null',
    containerEdits: { env: ['ACME=1'] },
    devices: [
      {
        name: 'zero',
        containerEdits: {
          deviceNodes: [{ path: '/dev/acme', hostPath: '/dev/zero', permissions: 'r' }],
          mounts: [
            {
              hostPath: `${machine}/library`,
              containerPath: '/opt/acme',
              options: ['bind', 'ro', 'nosuid', 'nodev'],
            },
          ],
        },
      },
      {
        name: 'free',
        annotations: { 'org.mobyproject.buildkit.device.autoallow': 'true' },
        containerEdits: { env: ['FREE=1'] },
      },
    ],
  });

  async function run(lines: readonly string[], ...args: readonly string[]): Promise<Finished> {
    const Dockerfile = `FROM ${ground.base}\n${lines.join('\n')}\n`;
    return daemon.buildctl(
      buildArgs({ folder: await ground.write(`context-${++builds}`, { Dockerfile }), args }),
    );
  }
  const logOf = ({ stderr }: Finished): string | undefined =>
    stepsOf(stderr).find(({ name }) => name.includes('RUN'))?.log;

  it('are there with their nodes, mounts and variables, and leave nothing in the layer', async () => {
    const done = await run(
      [
        'RUN --device=acme.com/null=zero,required head -c4 /dev/acme | wc -c; cat /opt/acme/version; echo $ACME; touch /opt/acme/x 2>&1 || true',
        'RUN test ! -e /opt/acme -a ! -e /dev/acme && echo "gone$ACME"',
      ],
      '--allow=device=acme.com/null=zero',
    );
    expect(logOf(done)).to.include('4\n').and.include('7\n1\n').and.include('Read-only file system');
    expect(done.stderr).to.include('gone');
  });

  it('have to be granted, unless they say otherwise', async () => {
    const denied = await run(['RUN --device=acme.com/null=zero true']);
    expect(denied.code).to.equal(1);
    expect(denied.stderr).to.include('device acme.com/null=zero is requested by the build but not allowed');
    const free = await run(['RUN --device=acme.com/null=free echo "free: $FREE"']);
    expect(logOf(free), free.stderr).to.include('free: 1');
  });

  it('are done without when they are not there and not required', async () => {
    const optional = await run(['RUN --device=acme.com/none echo alone']);
    expect(logOf(optional), optional.stderr).to.include('alone');
    const required = await run(['RUN --device=acme.com/none,required true']);
    expect(required.stderr).to.include('required device "acme.com/none" is not registered');
  });

  it('are told with the worker', async () => {
    const { stdout } = await daemon.buildctl(['debug', 'workers', '--verbose']);
    expect(stdout).to.match(/Devices:\n\s+Name:\s+acme.com\/null=free\n\s+AutoAllow:\s+true/);
  });
});
