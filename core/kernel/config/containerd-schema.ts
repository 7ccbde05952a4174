import * as z from 'zod';
import { enabled, gcKeys } from './gc-schema.js';

/** `[worker.containerd]` in BuildKit's keys; what they take, the plugin says. */
export const containerdWorker = z.strictObject({
  enabled: enabled
    .default('auto')
    .describe(
      'false: no such worker; true: it must come up, or the start fails; auto: where containerd runs',
    ),
  address: z.string().optional().describe("containerd's unix socket"),
  namespace: z.string().optional().describe('namespace of containerd to keep everything in'),
  snapshotter: z.string().optional().describe('snapshotter of containerd'),
  runtime: z
    .strictObject({
      name: z.string().optional().describe("containerd's runtime of steps"),
      path: z.string().optional().describe('path of its shim'),
      options: z.record(z.string(), z.unknown()).optional().describe('options of io.containerd.runc.v2'),
    })
    .optional(),
  labels: z.record(z.string(), z.string()).optional().describe('labels of the worker'),
  platforms: z.array(z.string()).optional().describe('platforms that the worker offers'),
  networkMode: z.string().optional().describe('network of steps'),
  cniConfigPath: z.string().optional().describe('CNI configuration of mode cni'),
  cniBinaryPath: z.string().optional().describe('folder of the CNI plugins'),
  cniPoolSize: z.int().min(0).optional().describe('network namespaces that are kept ready'),
  bridgeName: z.string().optional().describe('bridge of mode bridge'),
  bridgeSubnet: z.string().optional().describe('addresses of steps in mode bridge'),
  defaultCgroupParent: z.string().optional().describe('cgroup below which those of steps are made'),
  'apparmor-profile': z.string().optional().describe('AppArmor profile of steps'),
  selinux: z.boolean().optional().describe('not supported yet'),
  'max-parallelism': z.int().min(0).optional().describe('steps that run at once'),
  rootless: z.boolean().optional().describe('not supported: rootless daemons use the other worker'),
  ...gcKeys,
});
