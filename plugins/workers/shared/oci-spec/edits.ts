/** What the devices of a step change in its spec. CDI: pkg/cdi/container-edits.go. */
import type {
  ContainerEdits,
  DeviceHook,
  DeviceMount,
  DeviceNode,
} from '../../../../core/contracts/devices.js';
import { allMeans, type HostMeans } from './host-means.js';
import type { OciDevice, OciLinux, OciMount, OciProcess, OciResources, OciSpec } from './types.js';

/** All but their mounts, which are among those of the spec already ({@link editMount}). */
export function withEdits(spec: OciSpec, edits: ContainerEdits, means: HostMeans = allMeans): OciSpec {
  const nodes = [...new Map(edits.deviceNodes.map((node) => [node.path, node])).values()];
  const mounts = [...spec.mounts, ...(means.deviceNodes ? [] : nodes.map(boundNode))];
  return {
    ...spec,
    process: editedProcess(spec.process, edits),
    mounts: edits.mounts.length > 0 ? parentsFirst(mounts) : mounts,
    ...(edits.hooks.length > 0 ? { hooks: hooksByName(edits.hooks) } : {}),
    linux: {
      ...spec.linux,
      ...(means.deviceNodes ? withNodes(spec.linux, nodes, spec.process.user) : {}),
      ...(edits.intelRdt ? { intelRdt: edits.intelRdt } : {}),
    },
  };
}

/** Bound, unless it says otherwise. */
export function editMount({ hostPath, containerPath, type, options }: DeviceMount): OciMount {
  const bound = options.some((option) => option === 'bind' || option === 'rbind');
  const kind = type || 'bind';
  return {
    destination: containerPath,
    type: kind,
    source: hostPath,
    options: kind === 'bind' && !bound ? ['rbind', ...options] : options,
  };
}

function editedProcess(process: OciProcess, { env, additionalGids }: ContainerEdits): OciProcess {
  const gids = [...new Set([...process.user.additionalGids, ...additionalGids])];
  return {
    ...process,
    env: withVariables(process.env, env),
    user: { ...process.user, additionalGids: gids },
  };
}

/** The last of a name wins, and takes the place of the first. */
function withVariables(env: readonly string[], more: readonly string[]): readonly string[] {
  if (more.length === 0) return env;
  const nameOf = (entry: string): string => entry.split('=', 1)[0]!;
  return [...new Map([...env, ...more].map((entry) => [nameOf(entry), entry])).values()];
}

/** A mount in another one has to come later, whatever order the devices came in. */
const parentsFirst = (mounts: readonly OciMount[]): readonly OciMount[] => {
  const depth = ({ destination }: OciMount): number => destination.split('/').filter(Boolean).length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
};

const hooksByName = (hooks: readonly DeviceHook[]): NonNullable<OciSpec['hooks']> => {
  const names = [...new Set(hooks.map(({ hookName }) => hookName))];
  return Object.fromEntries(
    names.map((name) => [name, hooks.flatMap(({ hookName, ...hook }) => (hookName === name ? [hook] : []))]),
  );
};

/** As the runtimes do it themselves in a user namespace, but for devices of another name on the machine. */
const boundNode = ({ hostPath, path }: DeviceNode): OciMount => ({
  destination: path,
  type: 'bind',
  source: hostPath,
  options: ['bind'],
});

function withNodes(
  { devices = [], resources }: OciLinux,
  nodes: readonly DeviceNode[],
  user: OciProcess['user'],
): Pick<OciLinux, 'devices' | 'resources'> {
  if (nodes.length === 0) return {};
  const others = devices.filter(({ path }) => !nodes.some((node) => node.path === path));
  return {
    devices: [...others, ...nodes.map((node) => device(node, user))],
    ...(resources
      ? { resources: { ...resources, devices: [...resources.devices, ...nodes.flatMap(allowed)] } }
      : {}),
  };
}

/** It belongs to the user of the step, who is to use it. */
const device = (
  { permissions: _, hostPath: _machine, ...node }: DeviceNode,
  { uid, gid }: OciProcess['user'],
): OciDevice => ({
  ...(uid > 0 ? { uid } : {}),
  ...(gid > 0 ? { gid } : {}),
  ...node,
});

const allowed = ({ type, major, minor, permissions }: DeviceNode): OciResources['devices'][number][] =>
  type === 'b' || type === 'c' ? [{ allow: true, type, major, minor, access: permissions }] : [];
