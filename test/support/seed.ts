/**
 * Property tests try the same cases in every run: a change that breaks one is the change that is to blame. Loaded by
 * .mocharc.json. `FC_SEED=$RANDOM FC_RUNS=5000 npx mocha …` looks further.
 */
import fc from 'fast-check';

fc.configureGlobal({
  seed: Number(process.env.FC_SEED ?? 1),
  numRuns: Number(process.env.FC_RUNS ?? 100),
});
