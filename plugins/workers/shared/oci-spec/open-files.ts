/**
 * The limit of open files that the daemon was started with. Node raises its own soft limit to the hard one and what it
 * starts inherits that; programs that close every possible descriptor then take minutes. Go's runtime, and so
 * BuildKit, gives children the limit as it was.
 */
import fs from 'node:fs';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import type { OciRlimit } from './types.js';

const ROW = /^Max open files\s+(\d+)\s+(\d+)/m;
/** What systemd and login shells start programs with. */
const USUAL_SOFT = 1024n;

/** undefined: as inherited. */
export function openFilesLimit(): OciRlimit | undefined {
  const own = readText('/proc/self/limits');
  return own === undefined
    ? undefined
    : openFilesFrom(own, readText(`/proc/${process.ppid}/limits`), process.ppid);
}

/** From the texts of /proc/<pid>/limits: this process' and its parent's. */
export function openFilesFrom(
  own: string,
  parent: string | undefined,
  parentPid: number,
): OciRlimit | undefined {
  const [soft, hard] = limits(own) ?? [];
  if (soft === undefined || hard === undefined || soft < hard) return undefined;
  const [before, beforeHard] = limits(parent ?? '') ?? [];
  // An init system has limits of its own, and sets those of what it starts.
  const original = beforeHard === hard ? before! : parentPid === 1 ? USUAL_SOFT : hard;
  return original < hard ? { type: 'RLIMIT_NOFILE', soft: original, hard } : undefined;
}

function limits(text: string): [soft: bigint, hard: bigint] | undefined {
  const found = ROW.exec(text);
  return found ? [BigInt(found[1]!), BigInt(found[2]!)] : undefined;
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH')) return undefined;
    throw error;
  }
}
