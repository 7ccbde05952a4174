import { unsupported } from '../../../core/contracts/errors.js';
import { runc } from '../../../proto/containerd.js';
import type { wellknown } from '../../../proto/index.js';
import type { ContainerdConfig } from './config.js';

/** Which of containerd's runtimes runs steps. */
export interface RuntimeChoice {
  readonly name: string;
  /** Of its shim; empty: containerd looks for it. */
  readonly path: string;
  readonly options?: wellknown.Any;
}

const RUNC = 'io.containerd.runc.v2';

export function runtimeChoice({ name, path, options }: ContainerdConfig['runtime']): RuntimeChoice {
  if (Object.keys(options).length === 0) return { name, path };
  if (name !== RUNC) {
    throw unsupported(
      'containerd.runtime',
      `options of the runtime ${name} are not known; only those of ${RUNC}`,
    );
  }
  const value = runc.Options.encode({
    binaryName: options.BinaryName,
    root: options.Root,
    noPivotRoot: options.NoPivotRoot,
    noNewKeyring: options.NoNewKeyring,
    shimCgroup: options.ShimCgroup,
    ioUid: options.IoUid,
    ioGid: options.IoGid,
  }).finish();
  return { name, path, options: { typeUrl: 'containerd.runc.v1.Options', value } };
}
