/** containerd's services, as far as they are used here. Its content store has the API that sessions have, too. */

import * as types from './gen/containerdtypes.js';
import * as version from './gen/containerdversion.js';
import * as containers from './gen/containers.js';
import * as diff from './gen/diff.js';
import * as images from './gen/images.js';
import * as introspection from './gen/introspection.js';
import * as leases from './gen/leases.js';
import * as namespaces from './gen/namespaces.js';
import * as runc from './gen/runcoptions.js';
import * as snapshots from './gen/snapshots.js';
import * as tasks from './gen/tasks.js';
import { wellknown } from './index.js';
import { service } from './services.js';

export { Content } from './services.js';
export {
  containers,
  diff,
  images,
  introspection,
  leases,
  namespaces,
  runc,
  snapshots,
  tasks,
  types,
  version,
};

const { Empty } = wellknown;

const snapshotter = service('containerd.services.snapshots.v1.Snapshots');
export const Snapshots = {
  Prepare: snapshotter.unary('Prepare', snapshots.PrepareSnapshotRequest, snapshots.PrepareSnapshotResponse),
  View: snapshotter.unary('View', snapshots.ViewSnapshotRequest, snapshots.ViewSnapshotResponse),
  Mounts: snapshotter.unary('Mounts', snapshots.MountsRequest, snapshots.MountsResponse),
  Commit: snapshotter.unary('Commit', snapshots.CommitSnapshotRequest, Empty),
  Remove: snapshotter.unary('Remove', snapshots.RemoveSnapshotRequest, Empty),
  Stat: snapshotter.unary('Stat', snapshots.StatSnapshotRequest, snapshots.StatSnapshotResponse),
  List: snapshotter.serverStream('List', snapshots.ListSnapshotsRequest, snapshots.ListSnapshotsResponse),
  Usage: snapshotter.unary('Usage', snapshots.UsageRequest, snapshots.UsageResponse),
} as const;

const lease = service('containerd.services.leases.v1.Leases');
export const Leases = {
  Create: lease.unary('Create', leases.CreateRequest, leases.CreateResponse),
  Delete: lease.unary('Delete', leases.DeleteRequest, Empty),
  AddResource: lease.unary('AddResource', leases.AddResourceRequest, Empty),
  DeleteResource: lease.unary('DeleteResource', leases.DeleteResourceRequest, Empty),
  ListResources: lease.unary('ListResources', leases.ListResourcesRequest, leases.ListResourcesResponse),
} as const;

const image = service('containerd.services.images.v1.Images');
export const Images = {
  Get: image.unary('Get', images.GetImageRequest, images.GetImageResponse),
  Create: image.unary('Create', images.CreateImageRequest, images.CreateImageResponse),
  Update: image.unary('Update', images.UpdateImageRequest, images.UpdateImageResponse),
} as const;

const container = service('containerd.services.containers.v1.Containers');
export const Containers = {
  List: container.unary('List', containers.ListContainersRequest, containers.ListContainersResponse),
  Create: container.unary('Create', containers.CreateContainerRequest, containers.CreateContainerResponse),
  Delete: container.unary('Delete', containers.DeleteContainerRequest, Empty),
} as const;

const task = service('containerd.services.tasks.v1.Tasks');
export const Tasks = {
  Create: task.unary('Create', tasks.CreateTaskRequest, tasks.CreateTaskResponse),
  Start: task.unary('Start', tasks.StartRequest, tasks.StartResponse),
  Delete: task.unary('Delete', tasks.DeleteTaskRequest, tasks.DeleteResponse),
  DeleteProcess: task.unary('DeleteProcess', tasks.DeleteProcessRequest, tasks.DeleteResponse),
  Kill: task.unary('Kill', tasks.KillRequest, Empty),
  Exec: task.unary('Exec', tasks.ExecProcessRequest, Empty),
  ResizePty: task.unary('ResizePty', tasks.ResizePtyRequest, Empty),
  CloseIO: task.unary('CloseIO', tasks.CloseIORequest, Empty),
  Wait: task.unary('Wait', tasks.WaitRequest, tasks.WaitResponse),
} as const;

const namespace = service('containerd.services.namespaces.v1.Namespaces');
export const Namespaces = {
  Create: namespace.unary('Create', namespaces.CreateNamespaceRequest, namespaces.CreateNamespaceResponse),
} as const;

const server = service('containerd.services.introspection.v1.Introspection');
export const Introspection = {
  Plugins: server.unary('Plugins', introspection.PluginsRequest, introspection.PluginsResponse),
  Server: server.unary('Server', Empty, introspection.ServerResponse),
} as const;

const differ = service('containerd.services.diff.v1.Diff');
export const Diff = {
  Apply: differ.unary('Apply', diff.ApplyRequest, diff.ApplyResponse),
} as const;

const about = service('containerd.services.version.v1.Version');
export const Version = {
  Version: about.unary('Version', Empty, version.VersionResponse),
} as const;
