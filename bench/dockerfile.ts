/**
 * One conversion of a Dockerfile of 500 lines and 40 stages, warm: from its text to definitions, in a process that has
 * converted some hundreds before, as a daemon has after a day. Nothing is built, and nothing is remembered: every text is
 * another one. Garbage is collected when the engine sees fit, and counts; it is not forced, for that throws compiled code
 * away with the shapes that nothing has at that moment.
 */
import { DockerfileFrontend } from '../plugins/frontends/dockerfile/frontend.js';
import { FakeGateway } from '../test/unit/dockerfile/support/fake-gateway.js';

const STAGES = 40;
const WARM_UP = 300;
const LARGE_WARM_UP = 20;
const SAMPLES = 20;

/** One client, or one that wants no build checks. */
const clients: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'with build checks': {},
  'without build checks': { 'build-arg:BUILDKIT_DOCKERFILE_CHECK': 'skip=all' },
};

export async function benchDockerfile(say: (line: string) => void): Promise<void> {
  say(
    `Dockerfile of ${linesOf(STAGES)} lines and ${STAGES} stages, one conversion, warm, in ms (median of ${SAMPLES})`,
  );
  say(`${''.padEnd(24)}${['wall', 'least', 'cpu', 'x10'].map((title) => title.padStart(9)).join('')}`);
  for (const [name, opts] of Object.entries(clients)) {
    const { wall, cpu } = await measure(STAGES, opts, WARM_UP);
    const tenfold = await measure(10 * STAGES, opts, LARGE_WARM_UP);
    const figures = [middle(wall), Math.min(...wall), cpu, tenfold.cpu / cpu];
    say(`${name.padEnd(24)}${figures.map((figure) => figure.toFixed(1).padStart(9)).join('')}`);
  }
}

interface Times {
  /** Milliseconds by the clock, one of each conversion. */
  readonly wall: readonly number[];
  /** What one took on average of the processor, garbage collection and compilation in other threads included. */
  readonly cpu: number;
}

async function measure(
  stages: number,
  opts: Readonly<Record<string, string>>,
  warmUp: number,
): Promise<Times> {
  const convertOne = async (run: number): Promise<number> => {
    const gateway = new FakeGateway({ dockerfile: { Dockerfile: `${dockerfile(stages)}\n# ${run}` } });
    const started = performance.now();
    await new DockerfileFrontend().solve(gateway, { opts, inputs: new Map() }, signal);
    return performance.now() - started;
  };
  for (let run = 0; run < warmUp; run++) await convertOne(run);
  const wall: number[] = [];
  const before = process.cpuUsage();
  while (wall.length < SAMPLES) wall.push(await convertOne(warmUp + wall.length));
  const { user, system } = process.cpuUsage(before);
  return { wall, cpu: (user + system) / 1000 / SAMPLES };
}

const { signal } = new AbortController();

const middle = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

const dockerfile = (stages: number): string =>
  [...head, ...Array.from({ length: stages }, (_, index) => stage(index)).flat()].join('\n');

const linesOf = (stages: number): number => dockerfile(stages).split('\n').length;

const head: readonly string[] = [
  'ARG VERSION=1.2',
  ...Array.from({ length: 19 }, (_, index) => `ARG FLAG_${index}=\${VERSION}.${index}`),
];

const stage = (index: number): readonly string[] => [
  index % 3 === 0 ? `FROM golang:1.${index} AS s${index}` : `FROM s${index - 1} AS s${index}`,
  'ARG VERSION',
  `ENV A${index}=\${VERSION:-x} PATH=/opt/${index}/bin:$PATH`,
  `WORKDIR /src/${index}`,
  `COPY go.mod go.sum dir${index}/ ./`,
  'RUN --mount=type=cache,target=/root/.cache/go-build --mount=type=bind,target=. \\',
  '    go build -ldflags "-X main.version=$VERSION" \\',
  `    -o /out/app${index} ./cmd/app${index}`,
  ...(index > 2 ? [`COPY --link --from=s${index - 3} /out/app${index - 3} /usr/bin/`] : ['# the first']),
  'RUN <<EOF',
  `echo ${index}`,
  'EOF',
];
