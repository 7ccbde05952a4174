import * as z from 'zod';
import { workerSettings } from '../shared/worker-settings.js';

/** Of containerd's runtime io.containerd.runc.v2, as containerd's own configuration spells them. */
const runtimeOptions = z.strictObject({
  BinaryName: z.string().optional().describe('OCI runtime: a name on the PATH or a path'),
  Root: z.string().optional().describe('folder of the OCI runtime'),
  NoPivotRoot: z.boolean().optional(),
  NoNewKeyring: z.boolean().optional(),
  ShimCgroup: z.string().optional().describe('cgroup of the shims'),
  IoUid: z.int().min(0).optional().describe('owner of the pipes of steps'),
  IoGid: z.int().min(0).optional().describe('group of the pipes of steps'),
});

/** BuildKit: `[worker.containerd]` and `[dns]` of buildkitd.toml. */
export const containerdConfig = z.object({
  address: z.string().min(1).default('/run/containerd/containerd.sock').describe("containerd's unix socket"),
  namespace: z
    .string()
    .regex(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/, { error: 'is no name of a containerd namespace' })
    .default('buildkit')
    .describe('namespace of containerd that everything is kept in'),
  snapshotter: z
    .string()
    .min(1)
    .regex(/^[^/]+$/, { error: 'is no name of a snapshotter' })
    .default('overlayfs')
    .describe(
      'snapshotter of containerd: overlayfs, native or another whose mounts are of type overlay or bind',
    ),
  runtime: z
    .strictObject({
      name: z.string().min(1).default('io.containerd.runc.v2').describe("containerd's runtime of steps"),
      path: z.string().default('').describe('path of its shim; needs containerd 1.7'),
      options: runtimeOptions.default({}).describe('options of io.containerd.runc.v2'),
    })
    .prefault({}),
  ...workerSettings,
  rootless: z
    .boolean()
    .default(false)
    .refine((on) => !on, { error: 'this worker needs root; rootless daemons use [worker.oci]' })
    .describe('not supported: rootless daemons use the other worker'),
});

export type ContainerdConfig = z.infer<typeof containerdConfig>;
