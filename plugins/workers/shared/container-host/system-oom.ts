import { readFileSync } from 'node:fs';

/** How often the kernel has killed for want of memory since it booted, in any cgroup. */
export const systemOomKills = (): number =>
  Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
