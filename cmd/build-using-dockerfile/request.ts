/** What the options of docker build are to the Dockerfile frontend. BuildKit: examples/build-using-dockerfile/main.go. */
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { invalid, unsupported } from '../../core/contracts/index.js';
import { parseFolders, parseOpts } from '../buildctl/build/inputs.js';

export interface DockerBuildOptions {
  readonly tag?: readonly string[];
  readonly file?: string;
  readonly buildArg?: readonly string[];
  readonly label?: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  readonly cache: boolean;
  readonly pull?: boolean;
  readonly addHost?: readonly string[];
  readonly network?: 'default' | 'host' | 'none';
  readonly secret?: readonly string[];
  readonly ssh?: readonly string[];
  readonly progress: string;
  readonly clientsideFrontend?: boolean;
}

export interface DockerBuildRequest {
  /** What the frontend may read, by name. */
  readonly folders: ReadonlyMap<string, string>;
  readonly opts: Readonly<Record<string, string>>;
  readonly entitlements: readonly string[];
}

export function requestOf(
  place: string,
  options: DockerBuildOptions,
  env: NodeJS.ProcessEnv,
): DockerBuildRequest {
  const { folders, opts } = contextOf(place, options.file);
  return {
    folders,
    opts: { ...opts, ...valuesOf(options, env), ...switchesOf(options) },
    entitlements: options.network === 'host' ? ['network.host'] : [],
  };
}

const url = /^((https?|git|ssh):\/\/|git@|github\.com\/)/;

function contextOf(place: string, file: string | undefined): Pick<DockerBuildRequest, 'folders' | 'opts'> {
  if (place === '-') {
    throw unsupported('docker-build.context', 'a context from standard input is not supported', {
      hint: 'give a folder, or the URL of a git repository or an archive',
    });
  }
  if (url.test(place)) {
    return {
      folders: new Map(),
      opts: { context: place, ...(file === undefined ? {} : { filename: file }) },
    };
  }
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory()) {
    throw invalid('docker-build.context', `the context ${place} is no folder`);
  }
  const folder = file === undefined ? place : dirname(file);
  return {
    folders: parseFolders([`context=${place}`, `dockerfile=${folder}`]),
    opts: file === undefined ? {} : { filename: basename(file) },
  };
}

const valuesOf = (
  { buildArg = [], label = [], target, platform }: DockerBuildOptions,
  env: NodeJS.ProcessEnv,
): Record<string, string> =>
  parseOpts(
    [
      ...buildArg.map((pair) => `build-arg:${pair}`),
      // docker build takes a label without a value for an empty one.
      ...label.map((pair) => `label:${pair}${pair.includes('=') ? '' : '='}`),
      ...(target === undefined ? [] : [`target=${target}`]),
      ...(platform === undefined ? [] : [`platform=${platform}`]),
    ],
    env,
  );

const switchesOf = ({ cache, pull, addHost, network }: DockerBuildOptions): Record<string, string> => ({
  ...(cache ? {} : { 'no-cache': '' }),
  ...(pull ? { 'image-resolve-mode': 'pull' } : {}),
  ...(addHost ? { 'add-hosts': addHost.map(hostLine).join(',') } : {}),
  ...(network === undefined || network === 'default' ? {} : { 'force-network-mode': network }),
});

/** `host:ip`, whose address may have colons too, or `host=ip`. */
function hostLine(text: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(text);
  if (!match) throw invalid('docker-build.add-host', `--add-host ${text}: expected host:ip`);
  return `${match[1]}=${match[2]}`;
}
