/** Dockerfiles that nobody would write, made of ones that somebody has. */
import type { Random } from '../../simulation/random.js';

/** What the parser, the lexer and the instructions look out for. */
const pieces = [
  ...[
    'FROM ',
    'RUN ',
    'COPY ',
    'ADD ',
    'ENV ',
    'ARG ',
    'ONBUILD ',
    'HEALTHCHECK ',
    'EXPOSE ',
    'VOLUME ',
    'WORKDIR ',
  ],
  ...['# check=', '# escape=`\n', '# syntax=', '#!', '\ufeff', 'skip=all', 'error=true', ';experimental=all'],
  ...[
    '$',
    '${',
    '}',
    '${A:-',
    '${A##*',
    '${A//x/',
    '$A',
    ':?',
    "'",
    '"',
    '\\',
    '`',
    '\\\n',
    '`\n',
    '\n\n',
    '\r\n',
  ],
  ...[
    '<<EOF',
    '<<-EOF',
    "<<'EOF'",
    '\nEOF\n',
    '<<',
    '3<<',
    '["',
    '"]',
    '[1]',
    '{}',
    ' AS ',
    ' as x',
    '--from=',
    '--',
  ],
  ...[
    '--mount=type=',
    '--mount=type=secret,',
    '--platform=',
    '--chmod=',
    '--link',
    '--parents',
    '--exclude=',
    ',',
    '=',
  ],
  ...[
    'scratch',
    'context',
    '0',
    '-1',
    '99999999999999999999',
    '/',
    '..',
    '/./',
    '*',
    '[a-',
    'https://',
    'git@h:x',
    '#',
  ],
  ...['\0', '\t', '\v', '\u00a0', '\u2028', 'é', '🎉', '\ud800', ' ', '\n'],
];

type Mutation = (text: string, random: Random, others: readonly string[]) => string;

const at = (text: string, random: Random): number => random.int(text.length + 1);

const mutations: readonly Mutation[] = [
  (text, random) => splice(text, at(text, random), 0, random.pick(pieces)),
  (text, random) => splice(text, at(text, random), 0, random.pick(pieces)),
  (text, random) => splice(text, at(text, random), 1 + random.int(20), ''),
  (text, random) => text.slice(0, at(text, random)),
  (text, random) => onLines(text, (lines) => lines.splice(random.int(lines.length), 1)),
  (text, random) =>
    onLines(text, (lines) => {
      const [moved = ''] = lines.splice(random.int(lines.length), 1);
      lines.splice(random.int(lines.length + 1), 0, moved);
    }),
  (text, random, others) =>
    onLines(text, (lines) => {
      const from = random.pick(others).split('\n');
      const start = random.int(from.length);
      lines.splice(random.int(lines.length + 1), 0, ...from.slice(start, start + 1 + random.int(5)));
    }),
  (text, random) => {
    const start = at(text, random);
    const part = text.slice(start, start + 1 + random.int(10));
    return splice(text, start, 0, part.repeat(1 + random.int(random.chance(0.02) ? 1000 : 10)));
  },
  (text, random) => {
    const start = at(text, random);
    const part = text.slice(start, start + 10);
    return splice(text, start, part.length, random.chance(0.5) ? part.toLowerCase() : part.toUpperCase());
  },
  (text) => text.replaceAll('\n', '\r\n'),
];

/** A few mutations of one of `seeds`, with pieces of others. */
export function mutate(seeds: readonly string[], random: Random): string {
  let text = random.pick(seeds);
  for (let left = 1 + random.int(4); left > 0; left--) text = random.pick(mutations)(text, random, seeds);
  return text;
}

const splice = (text: string, start: number, remove: number, insert: string): string =>
  text.slice(0, start) + insert + text.slice(start + remove);

function onLines(text: string, change: (lines: string[]) => void): string {
  const lines = text.split('\n');
  change(lines);
  return lines.join('\n');
}
