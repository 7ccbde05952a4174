/** What a worker has to give to its steps. Real root has all of it; in a user namespace, parts are missing. */
export interface HostMeans {
  /** Steps get cgroups of their own. Else they are counted with the daemon, and nothing can be limited. */
  readonly cgroups: boolean;
  /** sysfs can be mounted: the network namespace must belong to the daemon's user namespace. */
  readonly sysfs: boolean;
  /** Steps get a process namespace and a /proc of their own; else they see the daemon's processes. */
  readonly processSandbox: boolean;
  /** There is a group 5, which terminals belong to. */
  readonly terminalGroup: boolean;
  /** Nodes of devices can be made; else those of the machine are bound. */
  readonly deviceNodes: boolean;
}

export const allMeans: HostMeans = {
  cgroups: true,
  sysfs: true,
  processSandbox: true,
  terminalGroup: true,
  deviceNodes: true,
};
