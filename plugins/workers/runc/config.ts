import * as z from 'zod';
import { workerSettings } from '../shared/worker-settings.js';

/** BuildKit: `[worker.oci]` and `[dns]` of buildkitd.toml. */
export const runcConfig = z.object({
  binary: z
    .string()
    .min(1)
    .default('auto')
    .describe(
      'OCI runtime: a name on the PATH or a path; auto tries crun, buildkit-runc and runc, in this order',
    ),
  snapshotter: z
    .enum(['auto', 'overlayfs', 'fuse-overlayfs', 'native'], {
      error: 'expected auto, overlayfs, fuse-overlayfs or native; stargz and proxies are not supported',
    })
    .default('auto')
    .describe('how layers are kept; auto is the first that works of overlayfs, fuse-overlayfs and native'),
  ...workerSettings,
  cniConfigPath: z
    .string()
    .optional()
    .describe(
      'CNI configuration, or list of configurations (.conflist), of mode cni; default: /etc/buildkit/cni.json, rootless ~/.config/buildkit/cni.json',
    ),
  noProcessSandbox: z
    .boolean()
    .default(false)
    .describe("run steps in the daemon's own process namespace: for rootless daemons in containers"),
  rootless: z
    .boolean()
    .optional()
    .describe('expect no more rights than a user namespace gives; default: whether the daemon runs in one'),
});

export type RuncConfig = z.infer<typeof runcConfig>;
