/**
 * Every environment variable that the programs read. The descriptions stand here; the source is searched for variables, and
 * one that is read but not described, or described but not read, is an error.
 */
import { code, table } from './markdown.js';
import { sourceFiles } from './source-files.js';

const variables: Readonly<Record<string, readonly [reader: string, meaning: string]>> = {
  BUILDKIT_HOST: ['buildctl, build-using-dockerfile', 'Address of buildkitd, as `--addr` gives it.'],
  BUILDKIT_CLIENTSIDE_FRONTEND: [
    'build-using-dockerfile',
    'Reads the Dockerfile in the client, as `--clientside-frontend` does.',
  ],
  BUILDKIT_PROGRESS: ['buildctl, build-using-dockerfile', 'How progress is shown, as `--progress` gives it.'],
  BUILDKIT_COLORS: [
    'buildctl',
    'Colors of the `tty` display: `run=green:warning=yellow:error=light-red:cancel=255,165,0`.',
  ],
  NO_COLOR: ['buildctl', 'No colors, if it is not empty.'],
  BUILDKIT_TTY_LOG_LINES: ['buildctl', 'Lines of output that the `tty` display shows below a running step.'],
  TTY_DISPLAY_RATE: ['buildctl', 'How often the `tty` display is drawn, in milliseconds.'],
  DOCKER_CONFIG: [
    'buildctl, embedded engine',
    'Folder of the docker CLI, with the credentials of registries in its `config.json`. Default: `~/.docker`.',
  ],
  BUILDKIT_NO_CLIENT_TOKEN: [
    'buildctl, embedded engine',
    '`1`: registry tokens are not fetched by the client; the daemon gets the credentials instead.',
  ],
  JAEGER_TRACE: [
    'buildctl, buildkitd',
    'Where spans go: `host:port` (UDP, thrift compact) or a URL; see [tracing](../getting-started.md#see-where-the-time-goes).',
  ],
  OTEL_TRACES_EXPORTER: [
    'buildctl, buildkitd',
    'Where spans go: `otlp`, `jaeger` or `none`. Default: whichever has an address, `otlp` first.',
  ],
  OTEL_SERVICE_NAME: ['buildctl, buildkitd', 'What the program is called in traces. Default: its name.'],
  OTEL_EXPORTER_OTLP_ENDPOINT: [
    'buildctl, buildkitd',
    'Address of an OpenTelemetry collector. This one and those below are also read with `OTLP_TRACES` in their names, which wins.',
  ],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [
    'buildctl, buildkitd',
    'The same, for traces; over HTTP without a path added to it.',
  ],
  OTEL_EXPORTER_OTLP_INSECURE: [
    'buildctl, buildkitd',
    '`true`: an address without `http://` or `https://` is spoken to without TLS.',
  ],
  OTEL_EXPORTER_OTLP_TRACES_INSECURE: ['buildctl, buildkitd', 'The same, for traces.'],
  OTEL_EXPORTER_OTLP_PROTOCOL: ['buildctl, buildkitd', '`grpc`, the default, or `http/protobuf`.'],
  OTEL_EXPORTER_OTLP_HEADERS: ['buildctl, buildkitd', 'Sent along: `name=value,name=value`.'],
  OTEL_EXPORTER_OTLP_TIMEOUT: ['buildctl, buildkitd', 'Milliseconds for one message. Default: 10000.'],
  OTEL_EXPORTER_OTLP_CERTIFICATE: [
    'buildctl, buildkitd',
    "PEM file of who signs the collector's certificate; with `grpc` only.",
  ],
  TRACEPARENT: ['buildctl', 'The span that the command is a part of, as W3C Trace Context writes it.'],
  BUILDKIT_STEP_LOG_MAX_SIZE: [
    'buildkitd, embedded engine',
    'Bytes of output that one stream of a step may send; `-1` is no limit. Default: 2097152.',
  ],
  BUILDKIT_STEP_LOG_MAX_SPEED: [
    'buildkitd, embedded engine',
    'Bytes per second of the same; `-1` is no limit. Default: 204800.',
  ],
  EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: ['buildctl', 'Source policy, as `--source-policy-file` gives it.'],
  XDG_RUNTIME_DIR: [
    'buildctl, buildkitd',
    "Holds the socket of an ordinary user's daemon ([rootless](../rootless.md)). Default: `/run/user/<uid>`.",
  ],
  XDG_DATA_HOME: ['buildctl, buildkitd', 'Holds the state of an ordinary user. Default: `~/.local/share`.'],
  XDG_CONFIG_HOME: [
    'buildctl, buildkitd',
    'Holds the configuration of an ordinary user. Default: `~/.config`.',
  ],
  ROOTLESSKIT_STATE_DIR: [
    'buildctl, buildkitd',
    'Set by rootlesskit: root of the user namespace is an ordinary user.',
  ],
  HOME: ['buildctl, buildkitd', 'Where the folders of an ordinary user begin.'],
  USER: ['buildctl, buildkitd', 'In a user namespace: anybody but `root` is an ordinary user.'],
  BUILDKIT_NETWORK_BRIDGE_AUTO: ['buildkitd, embedded engine', '`1`: the network mode `auto` is `bridge`.'],
  AWS_BUCKET: ['buildkitd, embedded engine', 'Bucket of an `s3` cache that names none.'],
  AWS_REGION: ['buildkitd, embedded engine', 'Its region.'],
  AWS_ACCESS_KEY_ID: ['buildkitd, embedded engine', 'Credentials for it.'],
  AWS_SECRET_ACCESS_KEY: ['buildkitd, embedded engine', 'Credentials for it.'],
  AWS_SESSION_TOKEN: ['buildkitd, embedded engine', 'Credentials for it, when they are temporary.'],
  BUILDKIT_AZURE_STORAGE_ACCOUNT_URL: [
    'buildkitd, embedded engine',
    'Storage account of an `azblob` cache that names none.',
  ],
  BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME: [
    'buildkitd, embedded engine',
    'Its name, when it is not the first part of the host.',
  ],
  BUILDKIT_AZURE_STORAGE_CONTAINER: [
    'buildkitd, embedded engine',
    'Its container. Default: `buildkit-cache`.',
  ],
  BUILDKIT_AZURE_STORAGE_PREFIX: ['buildkitd, embedded engine', 'What names of blobs begin with there.'],
  ACTIONS_CACHE_URL: ['buildctl', 'Cache service of a GitHub runner, for `gha` caches.'],
  ACTIONS_RESULTS_URL: ['buildctl', 'The same, of the second version.'],
  ACTIONS_RUNTIME_TOKEN: ['buildctl', 'The token for it.'],
  ACTIONS_CACHE_SERVICE_V2: ['buildctl', '`true`: the runner has the second version.'],
  SSH_AUTH_SOCK: ['buildctl', 'The ssh agent that `--ssh default` forwards.'],
  BUILDKITD_DEBUGADDR: ['buildkitd', 'Where metrics and profiles are served, as `--debugaddr` gives it.'],
  LISTEN_FDS: [
    'buildkitd',
    'How many sockets systemd hands over, from descriptor 3 on; see [sockets of systemd](../remote-daemons.md#sockets-of-systemd).',
  ],
  NOTIFY_SOCKET: ['buildkitd', 'Where systemd is told that the daemon is ready, and that it stops.'],
  LISTEN_PID: ['buildkitd', 'The process that they are meant for.'],
  PATH: ['buildkitd, embedded engine', 'Where OCI runtimes, git and ssh are looked for.'],
  HTTP_PROXY: [
    'buildkitd, embedded engine',
    'Proxy for registries, repositories and files that are asked for over HTTP; also `http_proxy`.',
  ],
  HTTPS_PROXY: [
    'buildkitd, embedded engine',
    'Proxy for registries, repositories and files that are asked for over HTTPS; also `https_proxy`.',
  ],
  ALL_PROXY: [
    'buildkitd, embedded engine',
    'Proxy of git for whatever has none of its own; also `all_proxy`.',
  ],
  NO_PROXY: ['buildkitd, embedded engine', 'Hosts that are asked directly; also `no_proxy`.'],
};

/** Read by the proxy agent of the HTTP library and by git, or under names that are put together (tracing/otlp-settings.ts). */
const readElsewhere = [
  ...['ALL_PROXY', 'NO_PROXY'],
  ...['PROTOCOL', 'HEADERS', 'TIMEOUT', 'CERTIFICATE'].map((name) => `OTEL_EXPORTER_OTLP_${name}`),
];

/** Direct reads, commander's `.env('X')`, and names that are looked up in lists. */
const reads = [
  /\benv\.([A-Z][A-Z0-9_]+)\b/g,
  /\benv\[['"]([A-Za-z][A-Za-z0-9_]+)['"]\]/g,
  /\.env\(\s*'([A-Z0-9_]+)'/g,
  /\bread\('([A-Z0-9_]+)'/g,
  /'(https?_proxy)'/g,
];

export function environmentTable(root: string): string {
  const read = new Map<string, string>();
  for (const { path, text } of sourceFiles(root, [
    'core',
    'plugins',
    'client',
    'cmd',
    'tracing',
    'index.ts',
  ])) {
    for (const pattern of reads) {
      for (const { 1: name = '' } of text.matchAll(pattern)) read.set(name.toUpperCase(), path);
    }
  }
  for (const [name, path] of read) {
    if (!variables[name])
      throw new Error(`${path} reads ${name}: describe it in scripts/docs/environment.ts`);
  }
  for (const name of Object.keys(variables)) {
    if (!read.has(name) && !readElsewhere.includes(name)) {
      throw new Error(`scripts/docs/environment.ts describes ${name}, which nothing reads`);
    }
  }
  const rows = Object.entries(variables).map(([name, [reader, meaning]]) => [code(name), reader, meaning]);
  return `${table(['variable', 'read by', 'meaning'], rows)}\n`;
}
