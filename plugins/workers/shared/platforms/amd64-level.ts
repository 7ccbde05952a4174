/** The x86-64 levels that a CPU has, from the flags in /proc/cpuinfo. */
const levels: readonly (readonly [variant: string, flags: readonly string[]])[] = [
  ['v2', ['cx16', 'lahf_lm', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3']],
  ['v3', ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe']],
  ['v4', ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
];

export function amd64Variants(cpuinfo: string): string[] {
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' '));
  const missing = levels.findIndex(([, needed]) => !needed.every((flag) => flags.has(flag)));
  return levels.slice(0, missing < 0 ? levels.length : missing).map(([variant]) => variant);
}
