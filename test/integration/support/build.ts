/** Builds of a folder with a Dockerfile: the command line, and what the progress said of each step. */
import type { Finished } from './processes.js';

export interface BuildSpec {
  /** Holds the Dockerfile and is the context. */
  readonly folder: string;
  readonly opts?: Readonly<Record<string, string>>;
  readonly outputs?: readonly string[];
  readonly args?: readonly string[];
}

export function buildArgs({ folder, opts = {}, outputs = [], args = [] }: BuildSpec): string[] {
  return [
    'build',
    '--progress=rawjson',
    '--frontend=dockerfile.v0',
    ...['--local', `context=${folder}`, '--local', `dockerfile=${folder}`],
    ...Object.entries(opts).flatMap(([key, value]) => ['--opt', `${key}=${value}`]),
    ...outputs.flatMap((output) => ['--output', output]),
    ...args,
  ];
}

export interface Step {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started: boolean;
  readonly completed: boolean;
  readonly error: string;
  readonly log: string;
}

interface RawMessage {
  readonly vertexes?: readonly {
    readonly digest: string;
    readonly name: string;
    readonly cached?: boolean;
    readonly started?: string;
    readonly completed?: string;
    readonly error?: string;
  }[];
  readonly logs?: readonly { readonly vertex: string; readonly data: string }[];
}

/** The last word on each step, from `--progress=rawjson`; other lines of standard error are passed over. */
export function stepsOf(progress: string): Step[] {
  const steps = new Map<string, Step>();
  const blank = { name: '', cached: false, started: false, completed: false, error: '', log: '' };
  for (const line of progress.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { vertexes = [], logs = [] } = JSON.parse(line) as RawMessage;
    for (const { digest, name, cached, started, completed, error } of vertexes) {
      steps.set(digest, {
        ...(steps.get(digest) ?? { ...blank, digest }),
        name,
        cached: cached ?? false,
        started: started !== undefined,
        completed: completed !== undefined,
        error: error ?? '',
      });
    }
    for (const { vertex, data } of logs) {
      const step = steps.get(vertex) ?? { ...blank, digest: vertex };
      steps.set(vertex, { ...step, log: step.log + Buffer.from(data, 'base64').toString() });
    }
  }
  return [...steps.values()];
}

/**
 * Names of the Dockerfile's own steps, `[stage 2/3] RUN …`, that were not answered from the cache. A FROM is none of
 * them: what it names is looked up each time, and says DONE rather than CACHED when that was all.
 */
export const ranSteps = (finished: Finished): string[] =>
  stepsOf(finished.stderr)
    .filter(({ name, cached, started }) => started && !cached && isDockerfileStep(name))
    .map(({ name }) => name.replace(/^\[.*?\] /, ''));

const isDockerfileStep = (name: string): boolean => /^\[(?!internal\]).*?\] (?!FROM )/.test(name);
