/**
 * Ends the containers of a daemon that dies without a word (`kill -9`, no memory left). No parent-death signal can: it
 * reaches the runtime, and the container lives on. So a shell waits for the end of a pipe that only the daemon holds
 * open, and then kills what the record of containers still names. What is left to remove, the next start does.
 *
 * It must be made before the thread enters a mount namespace of its own, which it would keep alive.
 */
import fs from 'node:fs';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { AT_FDCWD } from '../../../../core/util/linux/libc.js';
import { openIn } from '../../../../core/util/linux/open-in.js';
import { pipe, reap, spawnProcess } from '../../../../core/util/linux/spawn.js';

/**
 * The record has a line `+ <id> <cgroup path>` for each container that was begun; the cgroup of one that has ended is
 * gone. A runtime may still be at making one, hence the rounds: two seconds. The record is read once, at the end of the
 * daemon: the next one may write its own meanwhile, whose containers are none of this one's business.
 */
const script = `
read -r record
while read -r _; do :; done
[ -f "$record" ] || exit 0
lines=$(cat "$record")
round=0
while [ $round -lt 20 ]; do
  while read -r sign id path; do
    [ "$sign" = + ] || continue
    for procs in "/sys/fs/cgroup$path/cgroup.procs" /sys/fs/cgroup/*"$path/cgroup.procs"; do
      [ -f "$procs" ] || continue
      while read -r pid; do kill -9 "$pid" 2>/dev/null; done <"$procs"
    done
  done <<EOF
$lines
EOF
  round=$((round + 1))
  sleep 0.1
done
`;

/** The shell is told by the pipe and not on its command line, where others look for what a folder is used by. */
const REAP_MS = 20;

/** A will as the rest of the process may close it, should the thread that made it die. */
export interface OpenWill {
  readonly pid: number;
  /** The descriptor that the shell waits for. */
  readonly held: number;
}

export class LastWill {
  readonly open: OpenWill;

  constructor(record: string) {
    const line = pipe();
    const nothing = openIn(AT_FDCWD, '/dev/null', fs.constants.O_RDWR, { resolve: 0 });
    try {
      const stdio = [line.read, nothing, nothing] as const;
      const pid = spawnProcess('/bin/sh', { args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'], stdio });
      fs.writeSync(line.write, `${record}\n`);
      this.open = { pid, held: line.write };
    } catch (error) {
      closeDescriptor(line.write);
      throw error;
    } finally {
      closeDescriptor(line.read);
      closeDescriptor(nothing);
    }
  }

  /** The daemon ends as it should: the record is gone by now, or names what could not be ended. */
  close(): Promise<void> {
    return executeWill(this.open);
  }
}

/** Has the shell do what it waits to do, and waits until it has. */
export async function executeWill({ pid, held }: OpenWill): Promise<void> {
  closeDescriptor(held);
  while (reap(pid) === undefined) await new Promise((resolve) => setTimeout(resolve, REAP_MS));
}
