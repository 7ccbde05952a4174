import { readFile } from 'node:fs/promises';

/** What this process may do: a container can have no more. */
export async function ownCapabilities(): Promise<readonly string[]> {
  const [, hex = '0'] = /^CapEff:\s*(\w+)/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  const bits = BigInt(`0x${hex}`);
  return allCapabilities.filter((_, index) => ((bits >> BigInt(index)) & 1n) === 1n);
}

/** Of capabilities(7), in the order of their numbers. */
export const allCapabilities = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);
