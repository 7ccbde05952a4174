/** The workers that suites are run over, and daemons that build with one of them. */
import { basename } from 'node:path';
import { DisposeStack } from '../../../core/util/dispose.js';
import { newerContainerd } from '../../../scripts/lib/containerd.mjs';
import { PrivateContainerd, whyNot as whyNotContainerd } from '../containerd/private-containerd.js';
import { type DaemonOptions, DaemonProcess } from './daemon.js';
import { RootlessHome, whyNotFuse, whyNotRootless } from './rootless.js';

export const workerNames = [
  'oci',
  'oci-fuse',
  'oci-rootless',
  'oci-rootless-fuse',
  'containerd',
  'containerd-1.7',
] as const;
export type WorkerName = (typeof workerNames)[number];

export interface WorkerKind {
  readonly name: WorkerName;
  /** Its section of buildkitd.toml. */
  readonly section: 'worker.oci' | 'worker.containerd';
  /** Why it cannot run on this machine, if so. */
  readonly why: string | undefined;
  /** What daemons stand on: a user, or a containerd. `folder`: where there is nothing else to say. */
  open(folder: string): Promise<WorkerSite>;
}

/** Daemons with one worker each, and no other. */
export interface WorkerSite extends AsyncDisposable {
  /** The folder of a daemon, readable for who runs it. */
  home(name: string): string;
  /** Settings of {@link WorkerKind.section} that make it run containers with this program. */
  runtime(path: string): string;
  start(name: string, options: Omit<DaemonOptions, 'home'>): Promise<DaemonProcess>;
}

const needsRoot = process.getuid?.() === 0 ? undefined : 'needs root';

const fuse = ['--oci-worker-snapshotter', 'fuse-overlayfs'];

const asRoot = (name: WorkerName, flags: readonly string[] = [], why = needsRoot): WorkerKind => ({
  name,
  section: 'worker.oci',
  why,
  async open(folder) {
    const home = (name: string): string => `${folder}/${name}`;
    return {
      home,
      runtime: (path) => `binary = ${JSON.stringify(path)}\n`,
      start: (name, { args = [], ...options }) =>
        DaemonProcess.start({
          home: home(name),
          ...options,
          args: ['--containerd-worker=false', ...flags, ...args],
        }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
});

const rootless = (name: WorkerName, flags: readonly string[] = [], why = whyNotRootless()): WorkerKind => ({
  name,
  section: 'worker.oci',
  why,
  async open() {
    const user = await RootlessHome.open();
    const command = user.command('rootlesskit', 'buildkitd', '--containerd-worker=false', ...flags);
    return {
      home: (name) => user.path(name),
      runtime: (path) => `binary = ${JSON.stringify(path)}\n`,
      start: (name, options) =>
        DaemonProcess.start({ home: user.path(name), owner: user.user, command, ...options }),
      [Symbol.asyncDispose]: () => user[Symbol.asyncDispose](),
    };
  },
});

/** A namespace for each daemon, as if each had a containerd of its own. */
const onContainerd = (name: WorkerName, bin?: string): WorkerKind => ({
  name,
  section: 'worker.containerd',
  why: whyNotContainerd(bin),
  async open(folder) {
    await using owned = new DisposeStack();
    const server = await owned.use(await PrivateContainerd.start(bin));
    const flags = [
      '--oci-worker=false',
      '--containerd-worker=true',
      '--containerd-worker-addr',
      server.socket,
    ];
    const home = (daemon: string): string => `${folder}/${daemon}`;
    const kept = owned.move();
    return {
      home,
      runtime: (path) => `runtime = { options = { BinaryName = ${JSON.stringify(path)} } }\n`,
      start: (daemon, { args = [], ...options }) =>
        DaemonProcess.start({
          home: home(daemon),
          ...options,
          args: [...flags, '--containerd-worker-namespace', basename(daemon), ...args],
        }),
      [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
    };
  },
});

const all: readonly WorkerKind[] = [
  asRoot('oci'),
  asRoot('oci-fuse', fuse, needsRoot ?? whyNotFuse()),
  rootless('oci-rootless'),
  rootless('oci-rootless-fuse', fuse, whyNotRootless() ?? whyNotFuse()),
  onContainerd('containerd'),
  onContainerd('containerd-1.7', newerContainerd),
];

/** `WORKERS=oci,containerd` narrows them. */
export function chosenWorkers(names = process.env.WORKERS): readonly WorkerKind[] {
  if (!names) return all;
  return names.split(',').map((name) => {
    const worker = all.find((candidate) => candidate.name === name);
    if (worker) return worker;
    throw new Error(`there is no worker "${name}": ${workerNames.join(', ')}`);
  });
}
