/** What hostile input may lead to: success, or an error of ours, soon. Anything else is a defect. */
import { expect } from 'chai';
import { BuildError } from '../../../core/contracts/errors.js';

/** CPU time that one case may take, in milliseconds: whatever else the machine does. */
const CPU_MS = 5000;
/** How long one that waits may take. Generous: machines stall, hangs do not end. */
const DEADLINE_MS = 30_000;

/** Errors that mean "nobody thought of this": a bug showed, not a check. */
const bugs = [TypeError, ReferenceError, SyntaxError];

export function expectRefused(error: unknown): void {
  const causes: unknown[] = [];
  for (let at = error; at instanceof Error && !causes.includes(at); at = at.cause) causes.push(at);
  for (const cause of causes) {
    // Node's own checks of arguments are TypeErrors with a code.
    const checked = typeof (cause as { code?: unknown }).code === 'string';
    if (!checked && bugs.some((bug) => cause instanceof bug)) throw cause;
    if (/call stack|out of memory|Invalid string length/i.test((cause as Error).message)) throw cause;
  }
}

export function cpuSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/** Whether it was accepted. */
export function survives(act: () => unknown, cpuMs = CPU_MS): boolean {
  const begun = process.cpuUsage();
  let accepted = true;
  try {
    act();
  } catch (error) {
    accepted = false;
    expectRefused(error);
  }
  expect(cpuSince(begun), 'milliseconds').to.be.below(cpuMs);
  return accepted;
}

/** The same for what waits; a hang is told instead of waited for. */
export async function survivesLater(
  act: (signal: AbortSignal) => Promise<unknown>,
  deadlineMs = DEADLINE_MS,
): Promise<boolean> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer after ${deadlineMs} ms`)), deadlineMs);
  const hung = new Promise<never>((_, reject) => {
    late.signal.addEventListener('abort', () => reject(late.signal.reason), { once: true });
  });
  try {
    await Promise.race([act(late.signal), hung]);
    return true;
  } catch (error) {
    if (late.signal.aborted) throw late.signal.reason;
    expectRefused(error);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** For checks that must name what they refuse. */
export const isKnown = (error: unknown): boolean => error instanceof BuildError && error.code !== 'unknown';
