import os from 'node:os';
import { defaultProfile, type ProfileRule, type RuleCondition } from './seccomp-profile.js';
import type { OciSeccomp, OciSyscallRule } from './types.js';

/** What the conditions of a profile are asked against. */
export interface SeccompHost {
  /** Go's name. */
  readonly arch: string;
  readonly kernel: readonly [major: number, minor: number];
}

const EPERM = 1;

/** The native architecture first, then those whose programs the same kernel runs. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  mips64: ['SCMP_ARCH_MIPS64', 'SCMP_ARCH_MIPS', 'SCMP_ARCH_MIPS64N32'],
  mips64le: ['SCMP_ARCH_MIPSEL64', 'SCMP_ARCH_MIPSEL', 'SCMP_ARCH_MIPSEL64N32'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  riscv64: ['SCMP_ARCH_RISCV64'],
};

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

export function seccompHost(): SeccompHost {
  const [major = 0, minor = 0] = os
    .release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return { arch: goArch[os.arch()] ?? os.arch(), kernel: [major, minor] };
}

/** The default profile for a process with these capabilities on this host. */
export function seccompFor(capabilities: readonly string[], host: SeccompHost): OciSeccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: architectures[host.arch] ?? [],
    syscalls: defaultProfile.filter((rule) => applies(rule, capabilities, host)).map(resolve),
  };
}

function applies(rule: ProfileRule, capabilities: readonly string[], host: SeccompHost): boolean {
  const some = (wanted: readonly string[] | undefined): boolean | undefined =>
    wanted?.some((name) => capabilities.includes(name));
  const holds = ({ caps, arches }: RuleCondition): (boolean | undefined)[] => [
    some(caps),
    arches?.includes(host.arch),
  ];
  if (rule.when && holds(rule.when).includes(false)) return false;
  if (rule.when?.minKernel && isOlder(host.kernel, rule.when.minKernel)) return false;
  return !(rule.unless && holds(rule.unless).includes(true));
}

const isOlder = (kernel: SeccompHost['kernel'], wanted: SeccompHost['kernel']): boolean =>
  kernel[0] < wanted[0] || (kernel[0] === wanted[0] && kernel[1] < wanted[1]);

const resolve = (rule: ProfileRule): OciSyscallRule => ({
  names: rule.names,
  action: rule.action ?? 'SCMP_ACT_ALLOW',
  ...(rule.errno === undefined ? {} : { errnoRet: rule.errno }),
  ...(rule.args ? { args: rule.args } : {}),
});

/** Whether the kernel has seccomp at all. */
export const kernelHasSeccomp = (status: string): boolean => /^Seccomp:/m.test(status);
