/** A Dockerfile with many stages, from its text to definitions; `size` counts lines. Nothing is built. */
import { DockerfileFrontend } from '../plugins/frontends/dockerfile/frontend.js';
import { FakeGateway } from '../test/unit/dockerfile/support/fake-gateway.js';
import type { BenchScenario } from './scenarios.js';

const LINES_A_STAGE = 12;

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

const convert = (name: string, opts: Readonly<Record<string, string>>): BenchScenario => ({
  name,
  size: 500,
  prepare: async (_world, size) => {
    const count = Math.max(1, Math.round(size / LINES_A_STAGE));
    const lines = ['ARG VERSION=1.2', ...Array.from({ length: count }, (_, index) => stage(index)).flat()];
    const locals = { dockerfile: { Dockerfile: lines.join('\n') } };
    const { signal } = new AbortController();
    return async () => {
      await new DockerfileFrontend().solve(new FakeGateway(locals), { opts, inputs: new Map() }, signal);
    };
  },
});

export const dockerfile: readonly BenchScenario[] = [
  convert('dockerfile', {}),
  convert('dockerfile, unchecked', { 'build-arg:BUILDKIT_DOCKERFILE_CHECK': 'skip=all' }),
];
