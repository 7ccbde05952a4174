/** The flags of the containerd worker, as settings of `[worker.containerd]`. */
import type { Command, OptionValues } from 'commander';
import { defined, integer, labels, list, toggle, toggled, truth, truthOf } from './flag-values.js';
import { keepStorage } from './gc-flags.js';

export const addContainerdFlags = (program: Command): Command =>
  program
    .addOption(toggle('--containerd-worker'))
    .option('--containerd-worker-addr <socket>', "containerd's unix socket")
    .option('--containerd-worker-namespace <name>', 'namespace of containerd to keep everything in')
    .option('--containerd-worker-runtime <name>', "containerd's runtime of steps")
    .option('--containerd-worker-snapshotter <name>', 'snapshotter of containerd')
    .option('--containerd-worker-platform <platform>', 'platforms to offer; repeatable', list)
    .option('--containerd-worker-labels <key=value>', 'labels of the worker; repeatable', list)
    .option('--containerd-worker-net <mode>', 'network of steps: auto, host, cni, bridge or none')
    .option('--containerd-worker-apparmor-profile <name>', 'AppArmor profile of steps')
    .option('--containerd-worker-selinux', 'known, but not supported yet')
    .option('--containerd-worker-rootless', 'known, but not supported: rootless daemons use the other worker')
    .option('--containerd-cni-config-path <file>', 'CNI configuration')
    .option('--containerd-cni-binary-dir <folder>', 'folder of the CNI plugins')
    .option('--containerd-cni-pool-size <n>', 'network namespaces that are kept ready')
    .option('--containerd-max-parallelism <n>', 'steps run at once')
    .addOption(truth('--containerd-worker-gc', 'collect garbage after builds'))
    .option('--containerd-worker-gc-keepstorage <MB>', 'limits of the cache: Reserved[,Free[,Maximum]]');

export function containerdOverrides(options: OptionValues): Record<string, unknown> {
  const { containerdWorker: worker, containerdWorkerRuntime: runtime } = options;
  return defined({
    enabled: worker === undefined ? undefined : toggled(worker),
    address: options.containerdWorkerAddr,
    namespace: options.containerdWorkerNamespace,
    runtime: runtime === undefined ? undefined : { name: runtime },
    snapshotter: options.containerdWorkerSnapshotter,
    platforms: options.containerdWorkerPlatform,
    labels: labels('containerd-worker-labels', options.containerdWorkerLabels),
    networkMode: options.containerdWorkerNet,
    'apparmor-profile': options.containerdWorkerApparmorProfile,
    selinux: options.containerdWorkerSelinux,
    rootless: options.containerdWorkerRootless,
    cniConfigPath: options.containerdCniConfigPath,
    cniBinaryPath: options.containerdCniBinaryDir,
    cniPoolSize: integer('containerd-cni-pool-size', options.containerdCniPoolSize),
    'max-parallelism': integer('containerd-max-parallelism', options.containerdMaxParallelism),
    gc: truthOf(options.containerdWorkerGc),
    ...keepStorage('containerd-worker-gc-keepstorage', options.containerdWorkerGcKeepstorage),
  });
}
