/**
 * What names results whose data is gone: it goes as well, with the keys that lose their use by it. BuildKit:
 * solver/bboltcachestorage ReleaseUnreferenced.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The part of the solver's key store that is needed here. */
export interface NamedResults {
  resultIds(): Iterable<string>;
  forget(resultId: string): Promise<void>;
  /** Keys that came to nothing are taken out when nothing is solved. */
  doubtAll(): void;
}

/** Rows that are looked at, and results that are forgotten, before others get their turn. */
const AT_ONCE = 100;

export async function forgetResults(keys: NamedResults, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    // Together: the store makes one write of them.
    await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => keys.forget(id)));
  }
}

/** Forgets those that the last process left; `isGone` says no when it cannot know. */
export async function sweepResults(keys: NamedResults, isGone: (id: string) => boolean): Promise<number> {
  const gone: string[] = [];
  let looked = 0;
  for (const id of [...keys.resultIds()]) {
    if (isGone(id)) gone.push(id);
    looked += 1;
    if (looked % AT_ONCE === 0) await nextTurn();
  }
  await forgetResults(keys, gone);
  keys.doubtAll();
  return gone.length;
}
