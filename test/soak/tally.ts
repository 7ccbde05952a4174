/** How builds ended, and what must not have been. */
import type { Trouble } from './journal.js';

/** Different messages that are kept of what was excused. */
const EXCUSES = 40;
const EXCUSE_LENGTH = 300;

export class Tally {
  readonly counts: Record<string, number> = {};
  /** Each is a fault of the daemon. */
  readonly complaints: string[] = [];
  /** What builds said that failed while something was broken on purpose. */
  readonly excuses = new Map<string, number>();

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  complain(what: string): void {
    this.count('failed without a reason');
    this.complaints.push(what);
  }

  excuse(troubles: readonly Trouble[], complaint: string): void {
    this.count('failed by trouble');
    const last = complaint.trim().split('\n').at(-1)!.slice(0, EXCUSE_LENGTH);
    const key = `${[...new Set(troubles)].sort().join(' and ')}: ${last}`;
    if (this.excuses.has(key) || this.excuses.size < EXCUSES) {
      this.excuses.set(key, (this.excuses.get(key) ?? 0) + 1);
    }
  }
}
