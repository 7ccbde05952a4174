/** Finds a runtime that really runs containers here, by running one. */

import type { Logger } from '../../../core/contracts/logger.js';
import type { Mount } from '../../../core/contracts/mount.js';
import { SkipPlugin } from '../../../core/contracts/plugin.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { findProgram } from '../../../core/util/find-program.js';
import { newId } from '../../../core/util/identity.js';
import { cgroupPath } from '../shared/cgroup/cgroup-path.js';
import { ContainerHost } from '../shared/container-host/container-host.js';
import type { ContainerRequest, HostSettings, Runtime } from '../shared/container-host/protocol.js';
import { describeRuntime, runtimeCandidates } from './find-runtime.js';

export interface HostOptions {
  readonly binary: string;
  readonly cgroupParent: string;
  /** Waited for when a runtime has been asked what it is. */
  readonly settings: Promise<Omit<HostSettings, 'runtime'>>;
  readonly threads: Threads;
  readonly logger: Logger;
}

interface RunOptions extends Omit<HostOptions, 'settings'> {
  readonly settings: Omit<HostSettings, 'runtime'>;
}

export interface OpenedHost {
  readonly host: ContainerHost;
  readonly runtime: Runtime;
}

export async function openHost(options: HostOptions, signal: AbortSignal): Promise<OpenedHost> {
  const candidates = runtimeCandidates(options.binary);
  const refused: string[] = [];
  /** What is wrong with one program does not keep another one from being tried. */
  async function unlessRefused<T>(program: string, attempt: () => Promise<T>): Promise<T | undefined> {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      refused.push(`${program}: ${why}`);
      options.logger.warn(`${program} cannot run containers here`, { why });
      return undefined;
    }
  }
  for (const candidate of candidates) {
    signal.throwIfAborted();
    const program = await findProgram(candidate);
    if (program === undefined) continue;
    const runtime = await unlessRefused(program, () => describeRuntime(program));
    const settings = await options.settings;
    if (!runtime) continue;
    const run: RunOptions = { ...options, settings };
    const opened = await unlessRefused(program, () => tryRuntime(runtime, run, signal));
    if (opened) return opened;
  }
  if (refused.length === 0) {
    throw new SkipPlugin(
      `no OCI runtime found (${candidates.join(', ')}); install one, for example: apt-get install runc`,
    );
  }
  throw new Error(`no OCI runtime works here: ${refused.join('; ')}`);
}

/** Old builds ignore a compiled seccomp program, static ones come without the library that compiles it. */
async function tryRuntime(runtime: Runtime, options: RunOptions, signal: AbortSignal): Promise<OpenedHost> {
  try {
    return await tryCalledSo(runtime, options, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!runtime.precompiledSeccomp) throw error;
    return tryCalledSo({ ...runtime, precompiledSeccomp: false }, options, signal);
  }
}

async function tryCalledSo(runtime: Runtime, options: RunOptions, signal: AbortSignal): Promise<OpenedHost> {
  const host = await ContainerHost.open({ ...options.settings, runtime }, options.threads, options.logger);
  try {
    await runProbe(host, options.cgroupParent, signal);
    return { host, runtime };
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

/** `true`, in the host's own files read-only: all that a container needs is tried, and nothing has to be brought along. */
async function runProbe(host: ContainerHost, cgroupParent: string, signal: AbortSignal): Promise<void> {
  const output: Uint8Array[] = [];
  const keep = (data: Uint8Array): void => void output.push(data);
  const { exitCode } = await host.run(probe(cgroupParent), { stdout: keep, stderr: keep }, signal);
  if (exitCode === 0) return;
  const said = Buffer.concat(output).toString().trim();
  throw new Error(`a container that runs "true" ended with exit code ${exitCode}${said && `: ${said}`}`);
}

const hostFolder = (source: string): Mount[] => [{ type: 'bind', source, options: ['rbind', 'ro'] }];

function probe(cgroupParent: string): ContainerRequest {
  const id = newId();
  return {
    id,
    process: {
      args: ['true'],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: '/',
      user: '0:0',
      hostname: '',
      network: 'sandbox',
      security: 'sandbox',
      extraHosts: [],
      ulimits: [],
      // Refused where there are no cgroups.
      cgroupParent,
      resources: {},
      removeMountStubsRecursive: false,
    },
    root: { mounts: hostFolder('/'), readonly: true },
    // A file system of its own on some machines.
    mounts: [{ kind: 'tree', dest: '/usr', selector: '', readonly: true, mounts: hostFolder('/usr') }],
    cgroupsPath: cgroupPath(cgroupParent, id),
    network: 'host',
    stdin: false,
    attended: false,
    bare: true,
  };
}
