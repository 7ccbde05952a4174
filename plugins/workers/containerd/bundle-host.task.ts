/**
 * The thread that mounts what steps need and writes their specs. Unlike that of the runc worker it stays in the daemon's
 * mount namespace: containerd's shims have to see the mounts. What a killed daemon leaves is unmounted by the next one.
 */
import fs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import type { ThreadContext } from '../../../core/contracts/threads.js';
import { deferred } from '../../../core/util/deferred.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { mount, mountFlags, unmount } from '../../../core/util/linux/mount.js';
import { setUmask, unshare } from '../../../core/util/linux/process.js';
import { cgroupLayout } from '../shared/cgroup/cgroup-layout.js';
import { containerGone } from '../shared/container-host/container.js';
import { processOf } from '../shared/container-host/container-exec.js';
import { ContainerFiles } from '../shared/container-host/container-files.js';
import { makeDirectories } from '../shared/container-host/directories.js';
import { type BundleContext, prepareBundle } from '../shared/container-host/prepare-bundle.js';
import { type ContainerRequest, recordError } from '../shared/container-host/protocol.js';
import { specHost } from '../shared/container-host/spec-host.js';
import { StubLayer } from '../shared/mounts/stub-layer.js';
import { TreeMounts } from '../shared/mounts/tree-mounts.js';
import { encodeProcess, encodeSpec } from '../shared/oci-spec/build-spec.js';
import type { OciSpec } from '../shared/oci-spec/types.js';
import type { BundleAnswer, BundleCommand, BundleSettings } from './bundle-protocol.js';

export interface BundleArgs {
  readonly settings: BundleSettings;
  readonly port: MessagePort;
}

/** containerd brings its own runtime, which gets the plain seccomp profile. */
const runtime = {
  path: '',
  name: 'containerd',
  keep: false,
  precompiledSeccomp: false,
  hideControllers: false,
};

export default async function bundleHost(
  { settings, port }: BundleArgs,
  thread: ThreadContext,
): Promise<void> {
  const dir = `${settings.stateDir}/bundles`;
  enterFolder(dir);
  const bundles = new Bundles(settings, dir);
  const closed = deferred<void>();
  const answer = (message: BundleAnswer): void => thread.report(message);
  port.on('message', (command: BundleCommand) => {
    if (command.type === 'close') {
      closed.resolve();
      return;
    }
    const { call } = command;
    bundles.execute(command).then(
      (json) => answer({ type: 'done', call, json }),
      (error: unknown) => answer({ type: 'failed', call, error: recordError(error) }),
    );
  });
  answer({ type: 'ready' });
  await closed.promise;
  port.close();
  await bundles.close();
  unmount(dir, { detach: true });
  fs.rmdirSync(dir);
}

/** A folder in memory: secrets lie in it. Modes mean what they say; the mask is this thread's own. */
function enterFolder(dir: string): void {
  unshare('fs');
  setUmask(0o022);
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  mount('tmpfs', dir, 'tmpfs', mountFlags.nosuid | mountFlags.nodev, 'mode=0711');
}

interface Prepared {
  readonly spec: OciSpec;
  readonly dir: string;
  readonly undo: DisposeStack;
}

class Bundles {
  readonly #context: BundleContext;
  readonly #dir: string;
  readonly #prepared = new Map<string, Prepared>();

  constructor(settings: BundleSettings, dir: string) {
    const { trees, files, bundles } = makeDirectories(dir);
    this.#dir = bundles;
    this.#context = {
      spec: specHost({ ...settings, runtime }, cgroupLayout(), files),
      trees: new TreeMounts(trees),
      stubs: new StubLayer(`${settings.stateDir}/stubs`, ['/etc/hosts', '/etc/resolv.conf']),
      files: new ContainerFiles(files, settings.dns),
    };
  }

  async execute(command: Exclude<BundleCommand, { type: 'close' }>): Promise<string> {
    switch (command.type) {
      case 'prepare':
        return this.#prepare(command.request);
      case 'process': {
        const first = this.#prepared.get(command.container)?.spec;
        if (!first) throw containerGone(command.container);
        return encodeProcess(processOf(command, { process: first.process, root: first.root.path }));
      }
      case 'release':
        await this.#release(command.container);
        return '';
      default:
        return command satisfies never;
    }
  }

  async close(): Promise<void> {
    for (const id of [...this.#prepared.keys()]) await this.#release(id);
  }

  async #prepare(request: ContainerRequest): Promise<string> {
    const dir = `${this.#dir}/${request.id}`;
    const undo = new DisposeStack();
    try {
      const spec = prepareBundle(request, dir, this.#context, (thing) => void undo.use(thing));
      this.#prepared.set(request.id, { spec, dir, undo });
      return encodeSpec(spec);
    } catch (error) {
      await give(undo, dir);
      throw error;
    }
  }

  async #release(id: string): Promise<void> {
    const prepared = this.#prepared.get(id);
    if (!prepared) return;
    this.#prepared.delete(id);
    await give(prepared.undo, prepared.dir);
  }
}

/** Last made, first undone; all of it, whatever fails. */
async function give(undo: DisposeStack, dir: string): Promise<void> {
  try {
    await undo[Symbol.asyncDispose]();
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
