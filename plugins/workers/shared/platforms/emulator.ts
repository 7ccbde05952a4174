/**
 * Programs of architectures that neither the machine runs nor its kernel has emulated: a `buildkit-qemu-<arch>` on the
 * PATH runs them. BuildKit: solver/llbsolver/ops/exec_binfmt.go.
 */
import { invalid } from '../../../../core/contracts/errors.js';
import type { ProcessSpec } from '../../../../core/contracts/executor.js';
import {
  formatPlatform,
  normalizePlatform,
  type Platform,
  samePlatform,
} from '../../../../core/util/platform.js';
import { platformsServing } from '../../../../core/util/platform-match.js';
import type { ContainerMount } from '../container-host/protocol.js';

/** Where it is in the container. */
const PLACE = '/dev/.buildkit_qemu_emulator';

/** qemu's names of architectures, where they are not Go's. */
const qemuNames: Readonly<Record<string, string>> = { arm64: 'aarch64', amd64: 'x86_64', 386: 'i386' };

export interface Emulation {
  readonly process: ProcessSpec;
  readonly mounts: readonly ContainerMount[];
}

/** What else it takes to run `process` on a machine that runs `machine`. `find` looks a program up. */
export async function emulate(
  process: ProcessSpec,
  machine: readonly Platform[],
  find: (program: string) => Promise<string | undefined>,
): Promise<Emulation> {
  const wanted = process.platform && normalizePlatform(process.platform);
  if (!wanted || machine.some((each) => runs(each, wanted))) return { process, mounts: [] };
  if (wanted.architecture === 'amd64' && ![undefined, '', 'v2'].includes(wanted.variant)) {
    const levels = machine.filter(({ architecture }) => architecture === 'amd64').map(formatPlatform);
    throw invalid(
      'exec.platform',
      `no support for running processes with ${formatPlatform(wanted)} platform, supported: ${levels.join(', ')}`,
    );
  }
  const source = await find(`buildkit-qemu-${qemuNames[wanted.architecture] ?? wanted.architecture}`);
  // Whatever the program is, the kernel has the last word on it.
  if (source === undefined) return { process, mounts: [] };
  return {
    process: { ...process, args: [PLACE, ...process.args] },
    mounts: [
      {
        kind: 'tree',
        dest: PLACE,
        selector: '',
        readonly: true,
        mounts: [{ type: 'bind', source, options: ['ro', 'bind'] }],
      },
    ],
  };
}

const runs = (machine: Platform, wanted: Platform): boolean =>
  platformsServing(machine).some((each) => samePlatform(each, wanted));
