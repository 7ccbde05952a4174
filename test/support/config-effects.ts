/**
 * Where it is tested what each key of buildkitd.toml does: not that it is read, but what changes by it. The file (below
 * `test/`), and words of the title. `test/unit/kernel/config-effects.test.ts` holds this against the schema and the files.
 */
export type Effect = readonly [file: string, title: string];

const daemon = (title: string): Effect => ['integration/configuration/daemon-settings.test.ts', title];
const worker = (title: string): Effect => ['integration/configuration/worker-settings.test.ts', title];
const containerd = (title: string): Effect => ['integration/containerd/settings.test.ts', title];
const gc = (setting: string): Effect => ['unit/kernel/gc-settings.test.ts', `'${setting}`];
const refusal = (key: string): Effect => ['unit/kernel/config-keys.test.ts', `['${key}', `];
const tls = (title: string): Effect => ['integration/registry/tls.test.ts', title];

const basics = daemon(
  'say where it keeps its state, where it listens and for whom, what it logs, and where it is watched',
);
const logLevel: Effect = [
  'unit/cmd/buildkitd/flags.test.ts',
  'take the level of the log from an explicit level, then trace, then debug',
];
const certificates: Effect = ['integration/e2e/reaching.test.ts', 'by clients that its authority knows'];
const bridge = worker('make a bridge of that name and subnet, with namespaces kept ready');
const steps = worker('give steps their network and name servers');
const present: Effect = [
  'unit/kernel/plugins.test.ts',
  'keeps the worker out, makes it required, or leaves it to what is there',
];
const runtime: Effect = [
  'integration/e2e/cache.test.ts',
  'starts no process and says CACHED of every step the second time',
];

/** What both workers have. */
const common = {
  labels: worker('say what it is: labels, platforms and snapshotter'),
  platforms: worker('say what it is: labels, platforms and snapshotter'),
  snapshotter: worker('say what it is: labels, platforms and snapshotter'),
  networkMode: steps,
  cniConfigPath: worker('take a CNI configuration of yours'),
  cniBinaryPath: bridge,
  cniPoolSize: bridge,
  bridgeName: bridge,
  bridgeSubnet: bridge,
  defaultCgroupParent: worker('put the cgroups of steps below defaultCgroupParent'),
  'apparmor-profile': worker('name an AppArmor profile that this machine has to know'),
  'max-parallelism': ['integration/e2e/parallel.test.ts', 'run four at a time with max-parallelism = 4'],
  gc: gc('gc = false'),
  gckeepstorage: gc('gckeepstorage = 11'),
  reservedSpace: gc('reservedSpace = 12'),
  maxUsedSpace: gc('maxUsedSpace = 13'),
  minFreeSpace: gc('minFreeSpace = 14'),
  gcpolicy: gc('gcpolicy = [{ keepDuration = 15 }]'),
} as const satisfies Record<string, Effect>;

const below = (prefix: string, effects: Readonly<Record<string, Effect>>): Record<string, Effect> =>
  Object.fromEntries(Object.entries(effects).map(([key, effect]) => [`${prefix}.${key}`, effect]));

export const configEffects: Readonly<Record<string, Effect>> = {
  root: basics,
  debug: logLevel,
  trace: logLevel,
  'insecure-entitlements': daemon('grant what builds ask for, and nothing else'),
  'log.level': logLevel,
  'log.format': basics,
  'grpc.address': basics,
  'grpc.debugAddress': basics,
  'grpc.uid': basics,
  'grpc.gid': basics,
  'grpc.tls.cert': certificates,
  'grpc.tls.key': certificates,
  'grpc.tls.ca': ['integration/e2e/reaching.test.ts', 'by nobody else'],
  'shutdown.drain': ['integration/e2e/operating.test.ts', 'cancels builds that take longer'],
  'watchdog.threshold': daemon('say when the main thread counts as blocked'),
  'cdi.disabled': daemon('hide devices that are described'),
  'cdi.specDirs': daemon('hide devices that are described'),
  'cdi.autoAllowed': ['unit/core/devices/cdi-devices.test.ts', 'lists what is described, by name'],
  'dns.nameservers': steps,
  'dns.options': steps,
  'dns.searchDomains': steps,
  'system.platformsCacheMaxAge': [
    'unit/workers/platforms/host-platforms.test.ts',
    'are looked for again when they are older than system.platformsCacheMaxAge',
  ],
  ...below('worker.oci', {
    ...common,
    enabled: present,
    binary: runtime,
    noProcessSandbox: [
      'integration/rootless/rootless.test.ts',
      'runs steps without a process namespace on request',
    ],
    rootless: [
      'unit/workers/runc/rootless.test.ts',
      'follows the namespace, unless the configuration says it',
    ],
    selinux: refusal('worker.oci.selinux'),
  }),
  ...below('worker.containerd', {
    ...common,
    enabled: ['integration/containerd/daemon.test.ts', 'is skipped where nobody listens, or stops the start'],
    address: ['integration/containerd/daemon.test.ts', 'is skipped where nobody listens, or stops the start'],
    namespace: containerd('keep everything in a namespace of that name'),
    'runtime.name': containerd('name the runtime'),
    'runtime.path': containerd("name the path of the runtime's shim, where containerd takes one"),
    'runtime.options': runtime,
    rootless: refusal('worker.containerd.rootless'),
    selinux: refusal('worker.containerd.selinux'),
  }),
  'registry.name.mirrors': [
    'integration/sources/images.test.ts',
    'come from the next mirror when one is down, and from the registry when all are',
  ],
  'registry.name.http': tls('says when a registry turns out to speak plain HTTP'),
  'registry.name.insecure': tls('accepts any certificate when told so'),
  'registry.name.ca': tls('accepts an authority from the configuration'),
  'registry.name.keypair': tls('shows a client certificate, from files or from a certs.d folder'),
  'registry.name.tlsconfigdir': tls('shows a client certificate, from files or from a certs.d folder'),
  'frontend.dockerfile.v0.enabled': ['unit/kernel/plugins.test.ts', 'keeps a frontend out'],
  'frontend.gateway.v0.enabled': ['unit/kernel/plugins.test.ts', 'keeps a frontend out'],
  'frontend.gateway.v0.allowedRepositories': [
    'unit/gateway/frontend-host.test.ts',
    'runs only what the daemon allows',
  ],
  'history.maxAge': daemon('say how many records of builds are kept, and how long'),
  'history.maxEntries': daemon('say how many records of builds are kept, and how long'),
  'history.traces': [
    'integration/history/history.test.ts',
    'remembers what was built, over a restart, with log, image and trace',
  ],
  'otel.socketPath': basics,
  'plugins.load': [
    'unit/kernel/plugins.test.ts',
    'loads a module by a path relative to the configuration file',
  ],
  'plugins.disabled': ['unit/kernel/plugins.test.ts', 'keeps ok, disabled, skipped and failed apart'],
  'plugins.required': [
    'unit/kernel/plugins.test.ts',
    'stops the start when a required plugin does not come up',
  ],
  plugin: ['unit/kernel/plugins.test.ts', 'parses the section of a plugin with its own schema'],
};
