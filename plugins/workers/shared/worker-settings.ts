/** Settings that workers have in common, under the names of buildkitd.toml or those made of them. */
import * as z from 'zod';
import { parsePlatform } from '../../../core/util/platform.js';
import { isAddress } from './network/resolv-conf.js';

const platform = z.string().refine(
  (text) => {
    try {
      parsePlatform(text);
      return true;
    } catch {
      return false;
    }
  },
  { error: 'expected os[/architecture[/variant]], as in linux/arm64' },
);

const address = z.string().refine(isAddress, { error: 'bad nameserver address' });

export const workerSettings = {
  labels: z.record(z.string(), z.string()).default({}).describe('added to the labels of the worker'),
  platforms: z
    .array(platform)
    .default([])
    .describe('what the worker says it runs; empty: what the machine runs, emulated ones included'),
  platformsMaxAgeMs: z
    .number()
    .default(20_000)
    .describe('milliseconds after which emulators are looked for again; negative: never'),
  maxParallelism: z.int().min(0).default(0).describe('steps that run at once; 0 = no limit'),
  defaultCgroupParent: z.string().default('').describe('cgroup below which those of steps are made'),
  networkMode: z
    .enum(['auto', 'host', 'none', 'cni', 'bridge'])
    .default('auto')
    .describe(
      "network of steps that ask for none in particular; auto: cni where cniConfigPath is there, else the host's",
    ),
  cniConfigPath: z
    .string()
    .default('/etc/buildkit/cni.json')
    .describe('CNI configuration, or list of configurations (.conflist), of mode cni'),
  cniBinaryPath: z.string().default('/opt/cni/bin').describe('folder of the CNI plugins'),
  cniPoolSize: z.int().min(0).default(0).describe('network namespaces that are kept ready'),
  bridgeName: z.string().min(1).max(15).default('buildkit0').describe('bridge of mode bridge'),
  bridgeSubnet: z.cidrv4().default('10.10.0.0/16').describe('addresses of steps in mode bridge'),
  dns: z
    .strictObject({
      nameservers: z.array(address).default([]).describe('name servers of steps'),
      options: z.array(z.string()).default([]).describe('resolver options of steps'),
      searchDomains: z.array(z.string()).default([]).describe('search domains of steps'),
    })
    .optional()
    .describe("replaces what the host's resolv.conf says, list by list"),
  apparmorProfile: z.string().default('').describe('AppArmor profile of steps; empty: none'),
  selinux: z
    .boolean()
    .default(false)
    .refine((on) => !on, { error: 'SELinux labels are not supported yet' })
    .describe('label steps for SELinux; not supported yet'),
};
