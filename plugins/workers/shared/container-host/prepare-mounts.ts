/** Turns what a step wants mounted into entries of its spec. */
import fs from 'node:fs';
import type { DeviceMount } from '../../../../core/contracts/devices.js';
import type { MountPoint } from '../mounts/mount-stubs.js';
import { absolute } from '../mounts/resolve-in-root.js';
import { selectPath, selectsAll } from '../mounts/select-path.js';
import type { TreeMounts } from '../mounts/tree-mounts.js';
import { fileMount, systemMountPoints } from '../oci-spec/default-mounts.js';
import { editMount } from '../oci-spec/edits.js';
import type { OciMount } from '../oci-spec/types.js';
import type { ContainerFiles } from './container-files.js';
import type { ContainerMount, ContainerRequest } from './protocol.js';

export interface PreparedMount extends OciMount {
  readonly kind: MountPoint['kind'];
}

/** Takes what has to be undone, last made first. */
export type Undo = (thing: Disposable | AsyncDisposable) => void;

/** Where mounts come from, and who undoes what had to be made for them. */
export interface MountSources {
  readonly trees: TreeMounts;
  readonly files: ContainerFiles;
  readonly bundle: string;
  readonly undo: Undo;
}

export function prepareMounts(request: ContainerRequest, from: MountSources): PreparedMount[] {
  const own = request.bare
    ? []
    : [
        { ...fileMount('/etc/resolv.conf', from.files.resolvConf(request)), kind: 'file' as const },
        { ...fileMount('/etc/hosts', from.files.hosts(request, from.bundle)), kind: 'file' as const },
      ];
  const devices = request.process.edits?.mounts ?? [];
  const all = [
    ...own,
    ...request.mounts.map((mount, at) => prepareOne(mount, at, from)),
    ...devices.map(prepareDevice),
  ];
  return all.map((mount) => (mount.type === 'bind' ? keeping(mount, from.trees) : mount));
}

/** What is not there is left to the runtime to tell. */
function prepareDevice(mount: DeviceMount): PreparedMount {
  const oci = editMount(mount);
  const isFile =
    oci.type === 'bind' && fs.statSync(oci.source, { throwIfNoEntry: false })?.isDirectory() === false;
  return { ...oci, destination: absolute(oci.destination), kind: isFile ? 'file' : 'directory' };
}

const keeping = (mount: PreparedMount, trees: TreeMounts): PreparedMount => ({
  ...mount,
  options: [...new Set([...mount.options, ...trees.keptOptions(mount.source)])],
});

function prepareOne(mount: ContainerMount, at: number, from: MountSources): PreparedMount {
  const destination = absolute(mount.dest);
  switch (mount.kind) {
    case 'tree':
      return { destination, ...treeMount(mount, `${from.bundle}/selected-${at}`, from) };
    case 'tmpfs': {
      const size = mount.sizeBytes ? [`size=${mount.sizeBytes}`] : [];
      const options = ['nosuid', ...size];
      return { destination, type: 'tmpfs', source: 'tmpfs', options, kind: 'directory' };
    }
    case 'file':
      return { destination, ...secretMount(mount, `${from.bundle}/file-${at}`) };
    default:
      return mount satisfies never;
  }
}

type Source = Omit<PreparedMount, 'destination'>;

function treeMount(
  mount: Extract<ContainerMount, { kind: 'tree' }>,
  place: string,
  from: MountSources,
): Source {
  const tree = from.trees.mount(mount.mounts);
  from.undo(tree);
  let source = tree.path;
  if (!selectsAll(mount.selector)) {
    from.undo(selectPath(tree.path, mount.selector, place));
    source = place;
  }
  const readonly = mount.readonly || !tree.writable;
  return {
    type: 'bind',
    source,
    options: readonly ? ['rbind', 'ro'] : ['rbind'],
    kind: fs.statSync(source).isDirectory() ? 'directory' : 'file',
  };
}

/** In the bundle, which lies in memory. BuildKit: solver/llbsolver/mounts, secretMountInstance. */
function secretMount(mount: Extract<ContainerMount, { kind: 'file' }>, source: string): Source {
  fs.writeFileSync(source, mount.data, { mode: 0o600, flag: 'wx' });
  fs.chownSync(source, mount.uid, mount.gid);
  fs.chmodSync(source, mount.mode & 0o777);
  const noexec = (mount.mode & 0o111) === 0 ? ['noexec'] : [];
  return { type: 'bind', source, options: ['ro', 'rbind', 'nodev', 'nosuid', ...noexec], kind: 'file' };
}

/** The mount points that lie in the root tree itself, not in something mounted before. */
export function pointsInRoot(mounts: readonly PreparedMount[]): MountPoint[] {
  const covered = [...systemMountPoints];
  return mounts.flatMap(({ destination, kind }) => {
    const isCovered = covered.some((place) => destination.startsWith(`${place}/`) || destination === place);
    covered.push(destination);
    return isCovered ? [] : [{ path: destination, kind }];
  });
}
