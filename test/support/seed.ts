/**
 * Property tests try the same cases in every run: a change that breaks one is the change that is to blame. Loaded by
 * .mocharc.json. `FC_SEED=$RANDOM FC_RUNS=5000 npx mocha …` looks further.
 */
import fc from 'fast-check';

/** How often a property is tried: as often as the run wants it, or else `usual`. */
export const runs = (usual: number): number => Number(process.env.FC_RUNS ?? usual);

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 1), numRuns: runs(100) });
