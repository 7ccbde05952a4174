/** Scenarios that broke an invariant once. They are kept as files and played by the tests for ever. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Scenario } from './scenario.js';

export interface Replay {
  /** What was wrong, in a sentence. */
  readonly about: string;
  readonly violation: string;
  /** Only with these wrong rules (plants.ts). */
  readonly plant?: string;
  readonly scenario: Scenario;
  /** What happened, step by step. */
  readonly timeline: readonly string[];
}

const folder = join(import.meta.dirname, 'replays');

export const replayNames = (): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'));

export const readReplay = (name: string): Replay =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));

/** Answers the file. */
export function writeReplay(name: string, replay: Replay): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(replay, undefined, 1)}\n`);
  return file;
}
