/**
 * The configuration file, in BuildKit's own keys (buildkitd.toml) plus `[plugins]` and `[plugin.<kind>.<id>]`.
 * Every object is strict: a key that no schema knows is an error, never ignored.
 */
import * as z from 'zod';
import { isListenAddress } from '../../control/addresses.js';
import { containerdWorker } from './containerd-schema.js';
import { duration, durationMs, enabled, gcKeys, lasting } from './gc-schema.js';

/** Timers of the thread that watches are no finer. */
const WATCHDOG_LEAST_MS = 20;

const listenAddress = z.string().refine(isListenAddress, {
  error: 'expected unix:///path/to/buildkitd.sock, tcp://127.0.0.1:1234 or fd://',
});

const registryHost = z.strictObject({
  mirrors: z.array(z.string()).default([]).describe('hosts asked before this one'),
  http: z.boolean().optional().describe('speak plain HTTP'),
  insecure: z.boolean().optional().describe('accept any certificate, and fall back to plain HTTP'),
  ca: z.array(z.string()).default([]).describe('PEM files of further certificate authorities'),
  keypair: z
    .array(z.strictObject({ key: z.string(), cert: z.string() }))
    .default([])
    .describe('client certificates'),
  tlsconfigdir: z.array(z.string()).default([]).describe('folders laid out like /etc/docker/certs.d/<host>'),
});

const ociWorker = z.strictObject({
  enabled: enabled
    .default('auto')
    .describe('false: no such worker; true: it must come up, or the start fails'),
  labels: z.record(z.string(), z.string()).optional().describe('labels of the worker'),
  platforms: z.array(z.string()).optional().describe('platforms that the worker offers'),
  snapshotter: z.string().optional().describe('how layers are kept'),
  binary: z.string().optional().describe('OCI runtime'),
  networkMode: z.string().optional().describe('network of steps'),
  cniConfigPath: z.string().optional().describe('CNI configuration of mode cni'),
  cniBinaryPath: z.string().optional().describe('folder of the CNI plugins'),
  cniPoolSize: z.int().min(0).optional().describe('network namespaces that are kept ready'),
  bridgeName: z.string().optional().describe('bridge of mode bridge'),
  bridgeSubnet: z.string().optional().describe('addresses of steps in mode bridge'),
  defaultCgroupParent: z.string().optional().describe('cgroup below which those of steps are made'),
  noProcessSandbox: z
    .boolean()
    .optional()
    .describe("run steps in the daemon's own process namespace; rootless only"),
  'apparmor-profile': z.string().optional().describe('AppArmor profile of steps'),
  selinux: z.boolean().optional().describe('not supported yet'),
  'max-parallelism': z.int().min(0).optional().describe('steps that run at once'),
  rootless: z
    .boolean()
    .optional()
    .describe('expect no more rights than a user namespace gives; default: whether the daemon runs in one'),
  ...gcKeys,
});

export const configSchema = z.strictObject({
  root: z.string().optional().describe('folder of all state; default: /var/lib/buildkit'),
  debug: z.boolean().default(false).describe('log at level debug'),
  trace: z.boolean().default(false).describe('log at level trace'),
  'insecure-entitlements': z
    .array(z.enum(['network.host', 'security.insecure', 'device']))
    .default([])
    .describe('what builds may be granted on request'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error'])
        .optional()
        .describe('what is logged; default: info, or debug with debug = true'),
      format: z.enum(['text', 'json']).optional().describe('how it is logged; default: text'),
    })
    .default({}),
  grpc: z
    .strictObject({
      address: z
        .array(listenAddress)
        .optional()
        .describe('where to listen; default: unix:///run/buildkit/buildkitd.sock'),
      debugAddress: z
        .string()
        .optional()
        .describe('where to serve metrics, profiles and dumps: host:port, or unix:///path; default: nowhere'),
      uid: z.int().min(0).optional().describe('owner of unix sockets'),
      gid: z.int().min(0).optional().describe('group of unix sockets'),
      tls: z
        .strictObject({
          cert: z.string().optional().describe('PEM file: certificate for tcp addresses'),
          key: z.string().optional().describe('PEM file: key of the certificate'),
          ca: z.string().optional().describe('PEM file: who signs the certificates that clients must have'),
        })
        .prefault({}),
    })
    .prefault({}),
  shutdown: z
    .strictObject({
      drain: duration
        .default('8s')
        .describe('how long builds that run may go on after SIGTERM, before they are canceled'),
    })
    .prefault({}),
  watchdog: z
    .strictObject({
      threshold: duration
        .refine((value) => durationMs(value) === 0 || (durationMs(value) ?? 0) >= WATCHDOG_LEAST_MS, {
          error: `expected 0, or at least ${WATCHDOG_LEAST_MS}ms`,
        })
        .default('1s')
        .describe('log where the main thread is when it has not turned for so long; 0: never'),
    })
    .prefault({}),
  cdi: z
    .strictObject({
      disabled: z.boolean().default(false).describe('true: steps get no devices'),
      specDirs: z
        .array(z.string())
        .default(['/etc/cdi', '/var/run/cdi', '/etc/buildkit/cdi'])
        .describe('folders of descriptions of devices; later ones win'),
      autoAllowed: z
        .array(z.string())
        .default([])
        .describe('devices, or kinds of them (`vendor/class`), that builds get without being granted any'),
    })
    .prefault({}),
  dns: z
    .strictObject({
      nameservers: z.array(z.string()).optional().describe('name servers of steps'),
      options: z.array(z.string()).optional().describe('resolver options of steps'),
      searchDomains: z.array(z.string()).optional().describe('search domains of steps'),
    })
    .optional(),
  system: z
    .strictObject({
      platformsCacheMaxAge: lasting
        .optional()
        .describe(
          'how often to look for emulators that were added; default: 20s; negative: only at the start',
        ),
    })
    .prefault({}),
  worker: z
    .strictObject({
      oci: ociWorker.optional(),
      containerd: containerdWorker.optional(),
    })
    .default({}),
  registry: z.record(z.string(), registryHost).default({}),
  frontend: z
    .strictObject({
      'dockerfile.v0': z
        .strictObject({ enabled: z.boolean().default(true).describe('false: builds cannot ask for it') })
        .optional(),
      'gateway.v0': z
        .strictObject({
          enabled: z.boolean().default(true).describe('false: no frontend images are run'),
          allowedRepositories: z
            .array(z.string())
            .optional()
            .describe('repositories that frontend images may come from; default: all'),
        })
        .optional(),
    })
    .default({}),
  history: z
    .strictObject({
      maxAge: duration
        .default(172_800)
        .describe('records of builds stay at least this long: seconds, or a form like 48h'),
      maxEntries: z
        .int()
        .min(0)
        .default(50)
        .describe('so many of the newest records stay however old they are'),
      traces: z
        .boolean()
        .default(false)
        .describe('keep the trace of every build, also when spans are sent nowhere'),
    })
    .prefault({}),
  otel: z
    .strictObject({
      socketPath: z
        .string()
        .optional()
        .describe(
          'where steps send spans while anything is traced; default: beside the first unix socket, as buildkitd.otel-grpc.sock',
        ),
    })
    .prefault({}),
  plugins: z
    .strictObject({
      load: z.array(z.string()).default([]).describe('npm packages or paths, relative to this file'),
      disabled: z.array(z.string()).default([]).describe('`<kind>.<id>` of plugins that stay out'),
      required: z.array(z.string()).default([]).describe('plugins whose failure stops the start'),
    })
    .prefault({}),
  plugin: z
    .record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())))
    .default({})
    .describe('settings of plugins: `[plugin.<kind>.<id>]`, see below'),
});

export type ConfigFile = z.infer<typeof configSchema>;

/** Keys of buildkitd.toml that this version knows but does not serve yet: refused, with their name. */
export const keysNotSupportedYet: readonly string[] = [
  'proxyNetwork',
  'provenanceEnvDir',
  'grpc.securityDescriptor',
  'worker.oci.proxySnapshotterPath',
  'worker.oci.stargzSnapshotter',
  'worker.oci.userRemapUnsupported',
  'cache',
];
