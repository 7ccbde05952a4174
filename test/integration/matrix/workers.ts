/** The workers that one suite is run over. `WORKERS=oci,containerd` narrows them. */
import { DisposeStack } from '../../../core/util/dispose.js';
import { PrivateContainerd, whyNot as whyNotContainerd } from '../containerd/private-containerd.js';
import { DaemonProcess } from '../support/daemon.js';
import type { Ground } from '../support/ground.js';
import { RootlessHome, whyNotRootless } from '../support/rootless.js';

export interface MatrixDaemon extends AsyncDisposable {
  readonly daemon: DaemonProcess;
}

export interface MatrixWorker {
  readonly name: string;
  /** Why it cannot run on this machine, if so. */
  readonly why: string | undefined;
  start(ground: Ground): Promise<MatrixDaemon>;
}

const needsRoot = process.getuid?.() === 0 ? undefined : 'needs root';

const all: readonly MatrixWorker[] = [
  {
    name: 'oci',
    why: needsRoot,
    start: async (ground) => owning([], await ground.daemon('oci', { args: ['--containerd-worker=false'] })),
  },
  {
    name: 'oci-rootless',
    why: whyNotRootless(),
    async start() {
      const home = await RootlessHome.open();
      const command = home.command('rootlesskit', 'buildkitd', '--containerd-worker=false');
      return owning(
        [home],
        await DaemonProcess.start({ home: home.path('daemon'), command, owner: home.user }),
      );
    },
  },
  {
    name: 'containerd',
    why: whyNotContainerd(),
    async start(ground) {
      const containerd = await PrivateContainerd.start();
      const args = [
        '--oci-worker=false',
        '--containerd-worker=true',
        '--containerd-worker-addr',
        containerd.socket,
      ];
      return owning([containerd], await ground.daemon('containerd', { args }));
    },
  },
];

/** The daemon goes first, then what it stands on. */
async function owning(ground: readonly AsyncDisposable[], daemon: DaemonProcess): Promise<MatrixDaemon> {
  await using owned = new DisposeStack();
  for (const thing of ground) await owned.use(thing);
  await owned.use(daemon);
  const kept = owned.move();
  return { daemon, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() };
}

export function chosenWorkers(names = process.env.WORKERS): readonly MatrixWorker[] {
  if (!names) return all;
  return names.split(',').map((name) => {
    const worker = all.find((candidate) => candidate.name === name);
    if (worker) return worker;
    throw new Error(`there is no worker "${name}": ${all.map((candidate) => candidate.name).join(', ')}`);
  });
}
