/**
 * Suites say over which workers they run: every one that builds with a daemon is declared with one of these. A suite
 * or a worker that is left out is a skipped test that gives the reason, so that counts by worker add up.
 */
import { chosenWorkers, type WorkerKind, type WorkerName } from './workers.js';

/** What suites run over unless they say otherwise. The others differ from one of these in a version only. */
const usual: readonly WorkerName[] = ['oci', 'oci-rootless', 'containerd'];

/** Those, and the two whose layers are mounted by fuse-overlayfs: for suites that are about what lies in layers. */
export const withFuse: readonly WorkerName[] = [...usual, 'oci-fuse', 'oci-rootless-fuse'];

export interface OverOptions {
  /** Reasons by worker that is left out. */
  readonly except?: Readonly<Partial<Record<WorkerName, string>>>;
  readonly workers?: readonly WorkerName[];
}

/** Declares a suite for each worker: `worker=oci <title>` and so on. */
export function overWorkers(
  title: string,
  suite: (this: Mocha.Suite, worker: WorkerKind) => void,
  { except = {}, workers = usual }: OverOptions = {},
): void {
  for (const worker of chosenWorkers().filter(({ name }) => workers.includes(name))) {
    const why = except[worker.name] ?? worker.why;
    describe(`worker=${worker.name}`, () => {
      if (why !== undefined) it.skip(`${title}: ${why}`);
      else
        describe(title, function () {
          suite.call(this, worker);
        });
    });
  }
}

/** Declares a suite that is about one worker; `because` is why it says nothing about the others. */
export function onWorker(
  name: WorkerName,
  because: string,
  title: string,
  suite: (this: Mocha.Suite, worker: WorkerKind) => void,
): void {
  const others = usual.filter((other) => other !== name);
  overWorkers(title, suite, {
    workers: [...others, name],
    except: Object.fromEntries(others.map((other) => [other, because])),
  });
}

/** A test, or in its place the reason why it cannot be one here. */
export function itUnless(why: string | false, title: string, test: () => Promise<void>): void {
  if (why === false) it(title, test);
  else it.skip(`${title}: ${why}`);
}
