/** The table of exchanges, and what is wrong with them. */
import { ways } from './exchange.js';

export interface Outcome {
  readonly build: string;
  readonly way: string;
  readonly from: string;
  readonly to: string;
  /** Steps that ran although their cache was imported. */
  readonly ran: readonly string[];
}

const directions = [
  ['BuildKit', 'here'],
  ['here', 'BuildKit'],
] as const;

/** Where a cache says less than BuildKit's says to BuildKit. */
export function problemsOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.from === 'BuildKit' && outcome.to === 'BuildKit') return [];
    const expected = new Set(find(outcomes, outcome.build, outcome.way, 'BuildKit', 'BuildKit')?.ran);
    const more = outcome.ran.filter((step) => !expected.has(step));
    const { build, way, from, to } = outcome;
    return more.length > 0 ? [`${build} | ${way} | ${from} → ${to}: ${more.join('; ')}`] : [];
  });
}

const find = (
  outcomes: readonly Outcome[],
  build: string,
  way: string,
  from: string,
  to: string,
): Outcome | undefined =>
  outcomes.find((one) => one.build === build && one.way === way && one.from === from && one.to === to);

export function page(outcomes: readonly Outcome[]): string {
  const builds = [...new Set(outcomes.map(({ build }) => build))];
  const columns = ways.flatMap((way) => directions.map(([from, to]) => ({ way: way.name, from, to })));
  const head = columns.map(({ way, from }) => `${way}: ${from === 'here' ? '→' : '←'}`);
  const rows = builds.map((build) => {
    const cells = columns.map(({ way, from, to }) => cell(outcomes, build, way, from, to));
    return `| ${build} | ${cells.join(' | ')} |`;
  });
  const some = outcomes.filter(({ ran, from, to }) => ran.length > 0 && from !== to);
  return [
    '# Caches exchanged with BuildKit',
    '',
    'What one daemon has built and exported, another one imports that has nothing of its own. `←` is a cache of BuildKit',
    'v0.26.3 that is imported here, `→` one of here that is imported by BuildKit. **all** means that every step was found and',
    'nothing ran; a number is that of the steps that ran, and `=` says that as many run when BuildKit imports its own cache.',
    '',
    "Measured with BuildKit's own client by [test/wire/cache-exchange](../../test/wire/cache-exchange/index.ts). Sources are",
    'looked up in every build, and are not counted.',
    '',
    '```console',
    '$ npx tsx test/wire/cache-exchange --client PATH_TO_BUILDCTL real=unix:///… ours=unix:///…',
    '```',
    '',
    `| build | ${head.join(' | ')} |`,
    `| --- |${columns.map(() => ' --- |').join('')}`,
    ...rows,
    '',
    ...(some.length > 0 ? notes(outcomes, some) : []),
  ].join('\n');
}

function cell(outcomes: readonly Outcome[], build: string, way: string, from: string, to: string): string {
  const found = find(outcomes, build, way, from, to);
  if (!found) return '–';
  if (found.ran.length === 0) return 'all';
  const own = find(outcomes, build, way, 'BuildKit', 'BuildKit');
  return own && own.ran.length === found.ran.length ? `${found.ran.length} =` : `${found.ran.length}`;
}

const notes = (outcomes: readonly Outcome[], some: readonly Outcome[]): readonly string[] => {
  const lines = new Map<string, string[]>();
  for (const { build, way, from, ran } of some) {
    const own = find(outcomes, build, way, 'BuildKit', 'BuildKit')?.ran ?? [];
    const isSame = own.length === ran.length && own.every((step) => ran.includes(step));
    const steps = ran.map((step) => `\`${step}\``).join(', ');
    const line = `- ${build}: ${steps}${isSame ? ", as with BuildKit's own cache" : ''}`;
    lines.set(line, [...(lines.get(line) ?? []), `${way} ${from === 'here' ? '→' : '←'}`]);
  }
  const told = [...lines].map(([line, places]) =>
    places.length === ways.length * directions.length ? `${line}.` : `${line} (${places.join('; ')}).`,
  );
  return ['## Steps that ran', '', ...told, ''];
};
