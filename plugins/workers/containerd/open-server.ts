/** Asks containerd what it is, and whether it has what the worker needs. */
import { BuildError, invalid, unsupported } from '../../../core/contracts/errors.js';
import { SkipPlugin } from '../../../core/contracts/plugin.js';
import { Introspection, type introspection, Leases, Namespaces, Version } from '../../../proto/containerd.js';
import type { ContainerdConfig } from './config.js';
import { type Containerd, explained, unless } from './containerd-client.js';
import { WORKER_LABEL } from './containerd-snapshotter.js';

export interface ServerFacts {
  readonly version: string;
  readonly uuid: string;
  /** Folder of its content store. */
  readonly contentRoot: string;
}

const SUPPORTED = { major: 1, minor: 6 };

/** Nobody listening means that this machine has no containerd, and no such worker. */
export async function openServer(
  containerd: Containerd,
  { snapshotter, runtime }: Pick<ContainerdConfig, 'snapshotter' | 'runtime'>,
  workerId: string,
  signal: AbortSignal,
): Promise<ServerFacts> {
  const { version } = await containerd.call(Version.Version, {}, signal).catch((error: unknown) => {
    if (error instanceof BuildError && error.code === 'containerd.unavailable') {
      throw new SkipPlugin(error.message);
    }
    throw explained(error, 'asking for its version');
  });
  refuseOld(version, runtime.path);
  try {
    const { uuid } = await containerd.call(Introspection.Server, {}, signal);
    const { plugins } = await containerd.call(Introspection.Plugins, {}, signal);
    const { namespace: name } = containerd.address;
    await unless('AlreadyExists', containerd.call(Namespaces.Create, { namespace: { name } }, signal));
    const labels = { [WORKER_LABEL]: workerId };
    await unless('AlreadyExists', containerd.call(Leases.Create, { id: containerd.lease, labels }, signal));
    checkSnapshotter(plugins, snapshotter);
    return { version, uuid, contentRoot: contentRoot(plugins) };
  } catch (error) {
    throw explained(error, 'opening it');
  }
}

function refuseOld(version: string, runtimePath: string): void {
  const [major = 0, minor = 0] = (/^v?(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const isOld = major < SUPPORTED.major || (major === SUPPORTED.major && minor < SUPPORTED.minor);
  if (isOld) {
    throw unsupported('containerd.version', `containerd ${version} is too old: 1.6 or newer is needed`);
  }
  if (runtimePath !== '' && major === 1 && minor < 7) {
    throw unsupported(
      'containerd.version',
      `containerd ${version} takes no path of a runtime's shim; 1.7 does`,
    );
  }
}

function contentRoot(plugins: readonly introspection.Plugin[]): string {
  const store = plugins.find(({ type, id }) => type === 'io.containerd.content.v1' && id === 'content');
  if (store?.exports.root) return store.exports.root;
  throw unsupported('containerd.content', 'containerd does not say where its content store lies');
}

const SNAPSHOTTER = 'io.containerd.snapshotter.v1';

function checkSnapshotter(plugins: readonly introspection.Plugin[], name: string): void {
  const all = plugins.filter(({ type }) => type === SNAPSHOTTER);
  const found = all.find(({ id }) => id === name);
  if (found && !found.initErr) return;
  const usable = all.filter(({ initErr }) => !initErr).map(({ id }) => id);
  const why = found?.initErr ? `does not work: ${found.initErr.message}` : 'is not there';
  throw invalid('containerd.snapshotter', `containerd's snapshotter ${name} ${why}`, {
    hint: `It has: ${usable.join(', ')}.`,
  });
}
