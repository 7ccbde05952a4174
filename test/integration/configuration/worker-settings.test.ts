/** What the sections of the workers do: read off the worker, and off steps that it runs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { bridgeExists } from '../../../core/util/linux/bridge.js';
import { buildArgs, stepsOf } from '../support/build.js';
import type { DaemonProcess } from '../support/daemon.js';
import { Ground } from '../support/ground.js';
import { removeCgroupParent } from '../support/leftovers.js';
import { itUnless, overWorkers } from '../support/over-workers.js';
import { type Finished, succeed } from '../support/processes.js';

const CNI = '/usr/lib/cni';
const parent = `buildkit-settings-${process.pid}`;
/** Made by the plugin of a configuration that is not the daemon's own, which leaves it. */
const bridge = `bkc${process.pid}`;

overWorkers('settings of a worker', (worker) => {
  let ground: Ground;
  let made = 0;
  before(async () => {
    ground = await Ground.open('settings', worker);
  });
  after(async () => {
    await ground?.[Symbol.asyncDispose]();
    await removeCgroupParent(parent);
    if (bridgeExists(bridge)) await succeed('ip', ['link', 'delete', bridge]);
  });

  const open = (settings: string, rest = ''): Promise<DaemonProcess> =>
    ground.daemon(`daemon${++made}`, { config: `[${worker.section}]\n${settings}\n${rest}` });
  const build = async (daemon: DaemonProcess, ...runs: readonly string[]): Promise<Finished> => {
    const lines = [`FROM ${ground.base}`, ...runs.map((run) => `RUN ${run}`)];
    return daemon.buildctl(
      buildArgs({ folder: await ground.write(`c${++made}`, { Dockerfile: lines.join('\n') }) }),
    );
  };
  /** What each of these scripts prints in a step. */
  const printed = async (daemon: DaemonProcess, ...runs: readonly string[]): Promise<readonly string[]> => {
    const finished = await build(daemon, ...runs);
    expect(finished.code, finished.stderr.slice(-2000)).to.equal(0);
    const steps = stepsOf(finished.stderr);
    return runs.map((run) => steps.find(({ name }) => name.endsWith(`RUN ${run}`))?.log ?? '');
  };

  /** What a daemon says that does not start with them. */
  const refusalOf = (settings: string): Promise<string> =>
    open(settings).then(
      () => 'it started',
      (error: Error) => error.message,
    );

  it('say what it is: labels, platforms and snapshotter', async () => {
    await using daemon = await open(
      'labels = { "my.label" = "mine" }\nplatforms = ["linux/riscv64"]\nsnapshotter = "native"',
    );
    const { stdout } = await daemon.buildctl(['debug', 'workers', '-v']);
    expect(stdout).to.match(/my\.label:\s+mine/);
    expect(stdout).to.match(/snapshotter:\s+native/);
    expect(stdout).to.match(/Platforms:\s+linux\/riscv64\n/);
  });

  it('give steps their network and name servers', async () => {
    const dns = '[dns]\nnameservers = ["10.9.8.7"]\noptions = ["ndots:3"]\nsearchDomains = ["example.test"]';
    await using daemon = await open('networkMode = "none"', dns);
    const [devices, resolvers] = await printed(daemon, 'tail -n +3 /proc/net/dev', 'cat /etc/resolv.conf');
    expect(devices?.trim().split(':')[0]).to.equal('lo');
    expect(devices?.trim().split('\n')).to.have.length(1);
    expect(resolvers).to.equal('nameserver 10.9.8.7\nsearch example.test\noptions ndots:3\n');
  });

  it('put the cgroups of steps below defaultCgroupParent, or are refused where there are none', async () => {
    const settings = `enabled = true\ndefaultCgroupParent = "${parent}"`;
    if (worker.name === 'oci-rootless') {
      expect(await refusalOf(settings)).to.match(/this worker has no cgroups to set cgroup parent with/);
      return;
    }
    await using daemon = await open(settings);
    const script = `grep -c '/${parent}/buildkit/' /proc/self/cgroup`;
    expect((await printed(daemon, script))[0]).to.match(/^[1-9]/);
  });

  const hasAppArmor = existsSync('/sys/module/apparmor') && 'this machine has AppArmor';
  itUnless(hasAppArmor, 'name an AppArmor profile that this machine has to know', async () => {
    expect(await refusalOf('enabled = true\napparmor-profile = "no-such"')).to.include(
      "AppArmor is not supported on this host, but the profile 'no-such' was specified",
    );
  });

  const ofBridge = "ip -o -4 addr show eth0 | tr -s ' ' | cut -d' ' -f4";
  const noNetworks = worker.name === 'oci-rootless' && 'networks are made by root';

  itUnless(noNetworks, 'make a bridge of that name and subnet, with namespaces kept ready', async () => {
    const name = `bks${process.pid}`;
    const settings = [
      `networkMode = "bridge"\nbridgeName = "${name}"\nbridgeSubnet = "10.217.0.0/16"`,
      `cniBinaryPath = "${CNI}"\ncniPoolSize = 3`,
    ];
    await using daemon = await open(settings.join('\n'));
    expect(bridgeExists(name)).to.equal(true);
    expect((await printed(daemon, ofBridge))[0]).to.match(/^10\.217\.\d+\.\d+\/16\n$/);
    const folder =
      worker.section === 'worker.oci' ? 'runc/executor/cni' : 'containerd/overlayfs/executor/cni';
    const kept = (): number => namespacesIn(join(daemon.root, folder));
    for (const end = Date.now() + 10_000; kept() < 3 && Date.now() < end; ) await sleep(50);
    expect(kept()).to.equal(3);
  });

  itUnless(noNetworks, 'take a CNI configuration of yours', async () => {
    const plugin = {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipam: { type: 'host-local', subnet: '10.218.0.0/16', dataDir: ground.path('addresses') },
    };
    const list = { cniVersion: '0.4.0', name: `settings-${worker.name}`, plugins: [plugin] };
    const folder = await ground.write('cni', { 'net.conflist': JSON.stringify(list) });
    await using daemon = await open(
      `networkMode = "cni"\ncniConfigPath = "${folder}/net.conflist"\ncniBinaryPath = "${CNI}"`,
    );
    expect((await printed(daemon, ofBridge))[0]).to.match(/^10\.218\.\d+\.\d+\/16\n$/);
  });
});

const namespacesIn = (folder: string): number =>
  readdirSync(folder).filter((name) => !name.endsWith('.json')).length;
