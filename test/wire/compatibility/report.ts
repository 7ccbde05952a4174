/** The lines on the terminal, and the page. */
import type { Found, Verdict } from './judge.js';
import { isExplained, isSame, isSameResult } from './judge.js';

/** Characters of a value that are shown. */
const SHOWN = 400;
/** Differences of a case that are shown. */
const LISTED = 30;
/** Cases that are named for one reason. */
const NAMED = 6;

export function verdictLines(verdict: Verdict): string {
  const { one, seconds, found, stale } = verdict;
  const word = isSame(verdict) ? 'same' : isExplained(verdict) ? 'known' : 'DIFF';
  const head = `${word.padEnd(5)} ${one.area}: ${one.name} (${seconds.toFixed(1)} s)`;
  const unexplained = found.filter(({ reason }) => reason === undefined);
  return [
    head,
    ...unexplained
      .slice(0, LISTED)
      .map((difference) => `      build ${difference.build}, ${describe(difference)}`),
    ...(unexplained.length > LISTED ? [`      and ${unexplained.length - LISTED} more`] : []),
    ...stale.map(({ fact }) => `      nothing differs as ${fact} any more`),
  ].join('\n');
}

const describe = ({ fact, real, ours }: Found): string =>
  `${fact}\n        real: ${excerpt(real)}\n        ours: ${excerpt(ours)}`;

function excerpt(value: string | undefined): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
}

export interface Peers {
  readonly real: string;
  readonly ours: string;
}

export function page(verdicts: readonly Verdict[], peers: Peers): string {
  const same = verdicts.filter(isSame);
  const results = verdicts.filter(isSameResult);
  const facts = verdicts.reduce((sum, verdict) => sum + verdict.facts, 0);
  return [
    '# Compatibility',
    '',
    `${count(verdicts.length)} small builds, each given by BuildKit's own client to BuildKit (${peers.real}) and to the daemon here`,
    `(${peers.ours}), on empty caches and once more on full ones. ${count(facts)} facts are compared: exit codes, messages,`,
    'every step with its inputs, logs, warnings and whether it was cached, and what was exported: files with mode, owner,',
    'kind, links, extended attributes, content and time, manifests, image configs and the bytes of layers. Ids, durations and',
    'digests of what is dated now are left out.',
    '',
    `**${count(same.length)} of ${count(verdicts.length)} are the same in everything.** ${count(results.length - same.length)} more differ only in the words of messages or in rows`,
    'of the progress: exit code and all that is exported are the same. All differences are listed with their reasons.',
    '',
    ...areaTable(verdicts),
    '',
    '## Differences',
    '',
    ...differences(verdicts),
    '',
    '## Cases',
    '',
    ...caseList(verdicts),
    '',
    '## Running it',
    '',
    'This page is written by the program itself. It empties the caches of both daemons, so give it daemons of its own:',
    '',
    '```console',
    '$ npx tsx test/wire/compatibility --client PATH_TO_BUILDCTL real=unix:///… ours=unix:///…',
    '```',
    '',
    'How to add a case: [test/wire/compatibility](../../test/wire/compatibility/README.md).',
    '',
  ].join('\n');
}

function areaTable(verdicts: readonly Verdict[]): string[] {
  const areas = byArea(verdicts);
  const row = (name: string, group: readonly Verdict[]): string => {
    const known = group.filter(isExplained);
    const counts = [
      group.length,
      known.filter(isSame).length,
      known.filter((verdict) => !isSame(verdict) && isSameResult(verdict)).length,
      known.filter((verdict) => !isSameResult(verdict)).length,
      group.length - known.length,
    ];
    return `| ${name} | ${counts.join(' | ')} |`;
  };
  return [
    '| area | cases | same | same result, other messages or rows | other result | unexplained |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...[...areas].map(([name, group]) => row(name, group)),
    row('**all**', verdicts),
  ];
}

/** Reasons with the cases that they are for. */
function differences(verdicts: readonly Verdict[]): string[] {
  const reasons = new Map<string, Set<string>>();
  for (const { one, found } of verdicts) {
    for (const { reason, fact } of found) {
      const text = reason ?? `unexplained: \`${fact}\``;
      reasons.set(text, (reasons.get(text) ?? new Set()).add(`${one.area}: ${one.name}`));
    }
  }
  if (reasons.size === 0) return ['There are none.'];
  return [...reasons].map(([reason, names]) => `- ${reason} (${namesOf([...names])})`);
}

/** Of a difference that is everywhere, the number of cases says more. */
function namesOf(names: readonly string[]): string {
  return names.length > NAMED ? `${names.length} cases` : names.join('; ');
}

const caseList = (verdicts: readonly Verdict[]): string[] =>
  [...byArea(verdicts)].map(
    ([name, group]) => `- **${name}**: ${group.map(({ one }) => one.name).join(' · ')}`,
  );

function byArea(verdicts: readonly Verdict[]): ReadonlyMap<string, readonly Verdict[]> {
  const areas = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const group = areas.get(verdict.one.area);
    if (group) group.push(verdict);
    else areas.set(verdict.one.area, [verdict]);
  }
  return areas;
}

const count = (number: number): string => number.toLocaleString('en-US');
