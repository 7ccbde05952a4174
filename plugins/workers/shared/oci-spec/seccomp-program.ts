import { SeccompFilter, type SeccompVerdict } from '../../../../core/util/linux/libseccomp.js';
import type { OciSeccomp, SeccompAction } from './types.js';

/**
 * crun takes a ready BPF program in this annotation instead of compiling `linux.seccomp` again for every container,
 * which is two thirds of what starting one costs.
 */
const ANNOTATION = 'run.oci.seccomp_bpf_data';

const operators = { SCMP_CMP_NE: 'ne', SCMP_CMP_EQ: 'eq', SCMP_CMP_MASKED_EQ: 'masked-eq' } as const;

/** The program of a profile, base64. Throws where libseccomp is not installed. */
export function compileSeccomp(profile: OciSeccomp): string {
  using filter = new SeccompFilter(verdict(profile.defaultAction, profile.defaultErrnoRet));
  for (const name of profile.architectures) {
    filter.addArchitecture(name.replace(/^SCMP_ARCH_/, '').toLowerCase());
  }
  for (const { names, action, errnoRet, args = [] } of profile.syscalls) {
    const compares = args.map(({ op, ...rest }) => ({ ...rest, op: operators[op] }));
    for (const name of names) filter.addRule(verdict(action, errnoRet), name, compares);
  }
  return Buffer.from(filter.program()).toString('base64');
}

const verdict = (action: SeccompAction, errno = 1): SeccompVerdict =>
  action === 'SCMP_ACT_ALLOW' ? 'allow' : { errno };

/** What stands in a spec instead of the whole profile. A runtime that ignored the program would deny every call. */
export const precompiled = (
  profile: OciSeccomp,
  program: string,
): { readonly seccomp: OciSeccomp; readonly annotations: Readonly<Record<string, string>> } => ({
  seccomp: { ...profile, syscalls: [] },
  annotations: { [ANNOTATION]: program },
});
