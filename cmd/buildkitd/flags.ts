/** Command line flags as settings of the configuration file, over which they win. */
import { readFileSync } from 'node:fs';
import { Command, Option, type OptionValues } from 'commander';
import { invalid } from '../../core/contracts/index.js';
import { version } from '../../core/kernel/version.js';
import { configCommand, type DaemonCommand } from './config-command.js';
import { addContainerdFlags, containerdOverrides } from './containerd-flags.js';
import { defined, integer, labels, list, toggle, toggled, truth, truthOf } from './flag-values.js';
import { keepStorage } from './gc-flags.js';
import { addUnservedFlags, refuseUnservedFlags } from './unserved-flags.js';

export interface DaemonFlags {
  /** Given explicitly; without it the default file may be missing. */
  readonly config: string | undefined;
  readonly command: DaemonCommand;
  /** undefined: whatever the user is. */
  readonly rootless: boolean | undefined;
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** The options of buildkitd; docs/reference/buildkitd.md is made from them. */
export const daemonProgram = (): Command => addUnservedFlags(addContainerdFlags(commonProgram()));

const commonProgram = (): Command =>
  new Command('buildkitd')
    .description('build daemon')
    .version(`buildkitd ${version.package} ${version.version}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(buildkitd --help lists the options)')
    .option(
      '--config <file>',
      "configuration file (default: /etc/buildkit/buildkitd.toml, or rootless the user's, if it is there)",
    )
    .option(
      '--root <folder>',
      'folder of all state (default: /var/lib/buildkit, rootless ~/.local/share/buildkit)',
    )
    .addOption(
      truth(
        '--rootless',
        "use a user's folders, and expect no more rights than a user namespace gives (default: whether this is one)",
      ),
    )
    .option('--addr <address>', 'listen on unix:///path, tcp://host:port or fd://; repeatable', list)
    .option('--debug', 'log at level debug')
    .addOption(
      new Option('--log-level <level>', 'what to log').choices(['trace', 'debug', 'info', 'warn', 'error']),
    )
    .addOption(new Option('--log-format <format>', 'how to log').choices(['text', 'json']))
    .option('--group <name|gid>', 'group that may connect to unix sockets')
    .option('--tlscert <file>', 'certificate for tcp addresses')
    .option('--tlskey <file>', 'key of the certificate')
    .option('--tlscacert <file>', 'who signs the certificates that clients must have')
    .option('--trace', 'log at level trace')
    .addOption(
      new Option(
        '--debugaddr <address>',
        'serve metrics, profiles and dumps on host:port or unix:///path',
      ).env('BUILDKITD_DEBUGADDR'),
    )
    .option('--drain <duration>', 'how long builds may go on after SIGTERM, such as 30s (default: 8s)')
    .option('--otel-socket-path <path>', 'where steps send spans while anything is traced')
    .addCommand(configCommand())
    .action(() => undefined)
    .option(
      '--allow-insecure-entitlement <name>',
      'let builds have network.host, security.insecure or device',
      list,
    )
    .addOption(truth('--cdi-disabled', 'give no devices to steps'))
    .option('--cdi-spec-dir <folder>', 'folder of descriptions of devices; repeatable', list)
    .addOption(toggle('--oci-worker'))
    .option('--oci-worker-binary <program>', 'OCI runtime: runc, crun or a path')
    .option('--oci-worker-snapshotter <name>', 'overlayfs, fuse-overlayfs, native or auto')
    .option('--oci-worker-platform <platform>', 'platforms to offer; repeatable', list)
    .option('--oci-worker-labels <key=value>', 'labels of the worker; repeatable', list)
    .option('--oci-worker-net <mode>', 'network of steps: auto, host, cni, bridge or none')
    .option('--oci-cni-config-path <file>', 'CNI configuration')
    .option('--oci-cni-binary-dir <folder>', 'folder of the CNI plugins')
    .option('--oci-cni-pool-size <n>', 'network namespaces that are kept ready')
    .option('--oci-max-parallelism <n>', 'steps run at once')
    .option('--oci-worker-apparmor-profile <name>', 'AppArmor profile of steps')
    .addOption(truth('--oci-worker-gc', 'collect garbage after builds'))
    .option('--oci-worker-gc-keepstorage <MB>', 'limits of the cache: Reserved[,Free[,Maximum]]')
    .addOption(truth('--oci-worker-rootless', 'expect no more rights than a user namespace gives'))
    .addOption(
      truth(
        '--oci-worker-no-process-sandbox',
        "run steps in the daemon's own process namespace; rootless only",
      ),
    );

export function parseFlags(argv: readonly string[]): DaemonFlags {
  const options = daemonProgram().parse(argv, { from: 'user' }).opts();
  refuseUnservedFlags(options);
  return {
    command: options.command ?? 'run',
    config: options.config,
    rootless: truthOf(options.rootless),
    overrides: overridesOf(options),
  };
}

function overridesOf(options: OptionValues): Record<string, unknown> {
  return defined({
    root: options.root,
    debug: options.debug,
    trace: options.trace,
    shutdown: defined({ drain: options.drain }),
    otel: defined({ socketPath: options.otelSocketPath }),
    'insecure-entitlements': options.allowInsecureEntitlement,
    cdi: defined({ disabled: truthOf(options.cdiDisabled), specDirs: options.cdiSpecDir }),
    log: defined({ level: options.logLevel, format: options.logFormat }),
    grpc: defined({
      address: options.addr,
      debugAddress: options.debugaddr,
      gid: groupId(options.group),
      tls: defined({ cert: options.tlscert, key: options.tlskey, ca: options.tlscacert }),
    }),
    worker: {
      oci: defined({
        enabled: options.ociWorker === undefined ? undefined : toggled(options.ociWorker),
        binary: options.ociWorkerBinary,
        rootless: truthOf(options.ociWorkerRootless ?? options.rootless),
        noProcessSandbox: truthOf(options.ociWorkerNoProcessSandbox),
        snapshotter: options.ociWorkerSnapshotter,
        platforms: options.ociWorkerPlatform,
        labels: labels('oci-worker-labels', options.ociWorkerLabels),
        networkMode: options.ociWorkerNet,
        cniConfigPath: options.ociCniConfigPath,
        cniBinaryPath: options.ociCniBinaryDir,
        cniPoolSize: integer('oci-cni-pool-size', options.ociCniPoolSize),
        'apparmor-profile': options.ociWorkerApparmorProfile,
        'max-parallelism': integer('oci-max-parallelism', options.ociMaxParallelism),
        gc: truthOf(options.ociWorkerGc),
        ...keepStorage('oci-worker-gc-keepstorage', options.ociWorkerGcKeepstorage),
      }),
      containerd: containerdOverrides(options),
    },
  });
}

/** Lines of /etc/group: name, password, id, members. */
function groupId(group: string | undefined): number | undefined {
  if (group === undefined || /^\d+$/.test(group)) return integer('group', group);
  const lines = readFileSync('/etc/group', 'utf8').split('\n');
  const found = lines.map((line) => line.split(':')).find(([name]) => name === group);
  if (!found) throw invalid('buildkitd.flag', `--group ${group}: there is no such group`);
  return integer('group', found[2]);
}
