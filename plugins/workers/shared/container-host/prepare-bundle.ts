/** Everything a runtime finds when it is started: mounted trees, mount points, files, and config.json. */
import fs from 'node:fs';
import type { Mount } from '../../../../core/contracts/mount.js';
import { checkIds } from '../../../../core/util/linux/user-namespace.js';
import { type MountPoint, MountStubs } from '../mounts/mount-stubs.js';
import { absolute, hostPath, resolveInRoot } from '../mounts/resolve-in-root.js';
import type { StubLayer } from '../mounts/stub-layer.js';
import type { MountedTree, TreeMounts } from '../mounts/tree-mounts.js';
import { buildSpec, encodeSpec, type SpecHost } from '../oci-spec/build-spec.js';
import type { OciSpec } from '../oci-spec/types.js';
import { type ResolvedUser, resolveUser } from '../process/resolve-user.js';
import type { ContainerFiles } from './container-files.js';
import { type PreparedMount, pointsInRoot, prepareMounts, type Undo } from './prepare-mounts.js';
import type { ContainerRequest } from './protocol.js';

export interface BundleContext {
  readonly spec: SpecHost;
  readonly trees: TreeMounts;
  /** Below the lowest layer of every root. */
  readonly stubs: StubLayer;
  readonly files: ContainerFiles;
}

/** Fills the folder `bundle`, and answers what it says. What has to be undone is handed to `undo` as it is made, even if more fails. */
export function prepareBundle(
  request: ContainerRequest,
  bundle: string,
  context: BundleContext,
  undo: Undo,
): OciSpec {
  fs.mkdirSync(bundle, { mode: 0o711 });
  const { process } = request;
  const layers = context.stubs.below(request.root.mounts);
  const tree = context.trees.mount(layers);
  undo(tree);
  const user = resolveUser(tree.path, process.user);
  checkIds(user);
  const mounts = prepareMounts(request, { ...context, bundle, undo });
  const spec = buildSpec(
    {
      process,
      user,
      root: {
        path: prepareRoot({ request, context, undo, tree, layers, user, mounts }),
        readonly: request.root.readonly || !tree.writable,
      },
      cgroupsPath: request.cgroupsPath,
      network: request.network,
      mounts: mounts.map(({ kind: _, ...mount }) => mount),
    },
    request.bare ? withoutSysfs(context.spec) : context.spec,
  );
  fs.writeFileSync(`${bundle}/config.json`, encodeSpec(spec));
  return spec;
}

/** One that came along with the host's root folder is in the way of another one. */
const withoutSysfs = (host: SpecHost): SpecHost => ({ ...host, means: { ...host.means, sysfs: false } });

interface RootParts {
  readonly request: ContainerRequest;
  readonly context: BundleContext;
  readonly undo: Undo;
  readonly tree: MountedTree;
  readonly layers: readonly Mount[];
  readonly user: ResolvedUser;
  readonly mounts: readonly PreparedMount[];
}

/** Makes mount points and the working directory; a tree that cannot be written gets a layer that is thrown away. */
function prepareRoot({ request, context, undo, tree, layers, user, mounts }: RootParts): string {
  const points: readonly MountPoint[] = pointsInRoot(mounts);
  const cwd = cwdInRoot(request.process.cwd, mounts);
  const exists = MountStubs.allExist(tree.path, points) && resolveInRoot(tree.path, cwd).exists;
  if (exists) return tree.path;
  const root = tree.writable ? tree : context.trees.writableCopy(tree, layers);
  if (root !== tree) undo(root);
  const stubs = new MountStubs(root.path, request.process.removeMountStubsRecursive);
  undo({ [Symbol.dispose]: () => stubs.remove() });
  for (const point of points) stubs.make(point);
  makeWorkingDirectory(root.path, cwd, user);
  return root.path;
}

/** The root itself for a directory that lies in a mount: there, the runtime makes it. */
function cwdInRoot(cwd: string, mounts: readonly PreparedMount[]): string {
  const path = absolute(cwd);
  return mounts.some(({ destination }) => path.startsWith(`${destination}/`)) ? '/' : path;
}

function makeWorkingDirectory(root: string, cwd: string, user: ResolvedUser): void {
  const { path, exists } = resolveInRoot(root, cwd);
  if (exists) return;
  const parent = path.slice(0, path.lastIndexOf('/'));
  if (parent !== '') makeWorkingDirectory(root, parent, user);
  const target = hostPath(root, path);
  fs.mkdirSync(target, { mode: 0o755 });
  fs.chownSync(target, user.uid, user.gid);
}
