/**
 * The configuration file, in BuildKit's own keys (buildkitd.toml) plus `[plugins]` and `[plugin.<kind>.<id>]`.
 * Every object is strict: a key that no schema knows is an error, never ignored.
 */
import { z } from 'zod';

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
  enabled: z.union([z.boolean(), z.literal('auto')]).default('auto'),
  labels: z.record(z.string(), z.string()).optional(),
  platforms: z.array(z.string()).optional(),
  snapshotter: z.string().optional(),
  binary: z.string().optional(),
  networkMode: z.string().optional(),
  defaultCgroupParent: z.string().optional(),
  noProcessSandbox: z.boolean().optional(),
  'apparmor-profile': z.string().optional(),
  selinux: z.boolean().optional(),
  'max-parallelism': z.int().min(0).optional(),
  rootless: z.boolean().optional(),
});

export const configSchema = z.strictObject({
  root: z.string().optional().describe('folder of all state'),
  debug: z.boolean().default(false).describe('log at level debug'),
  'insecure-entitlements': z
    .array(z.enum(['network.host', 'security.insecure']))
    .default([])
    .describe('what builds may be granted on request'),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).optional(),
      format: z.enum(['text', 'json']).optional(),
    })
    .default({}),
  grpc: z
    .strictObject({
      address: z.array(z.string()).optional(),
      uid: z.int().min(0).optional(),
      gid: z.int().min(0).optional(),
    })
    .default({}),
  dns: z
    .strictObject({
      nameservers: z.array(z.string()).optional(),
      options: z.array(z.string()).optional(),
      searchDomains: z.array(z.string()).optional(),
    })
    .optional(),
  worker: z
    .strictObject({
      oci: ociWorker.optional(),
      containerd: z.strictObject({ enabled: z.literal(false) }).optional(),
    })
    .default({}),
  registry: z.record(z.string(), registryHost).default({}),
  plugins: z
    .strictObject({
      load: z.array(z.string()).default([]).describe('npm packages or paths, relative to this file'),
      disabled: z.array(z.string()).default([]).describe('`<kind>.<id>` of plugins that stay out'),
      required: z.array(z.string()).default([]).describe('plugins whose failure stops the start'),
    })
    .prefault({}),
  plugin: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
});

export type ConfigFile = z.infer<typeof configSchema>;

/** Keys of buildkitd.toml that this version knows but does not serve yet: refused, with their name. */
export const keysNotSupportedYet: readonly string[] = [
  'trace',
  'proxyNetwork',
  'provenanceEnvDir',
  'grpc.tls',
  'grpc.debugAddress',
  'grpc.securityDescriptor',
  'otel',
  'cdi',
  'history',
  'worker.oci.gc',
  'worker.oci.gckeepstorage',
  'worker.oci.reservedSpace',
  'worker.oci.maxUsedSpace',
  'worker.oci.minFreeSpace',
  'worker.oci.gcpolicy',
  'worker.oci.cniConfigPath',
  'worker.oci.cniBinaryPath',
  'worker.oci.cniPoolSize',
  'worker.oci.bridgeName',
  'worker.oci.bridgeSubnet',
  'worker.oci.proxySnapshotterPath',
  'worker.oci.stargzSnapshotter',
  'worker.oci.userRemapUnsupported',
  'worker.containerd',
  'frontend',
  'system',
  'cache',
];
