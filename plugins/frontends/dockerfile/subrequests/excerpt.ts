import type { SourceRange } from '../../../../core/contracts/errors.js';

const RULE = '-'.repeat(20);

/** The lines that are meant, with some around them, as BuildKit prints them. BuildKit: solver/errdefs/source.go. */
export function excerpt(filename: string, text: string, ranges: readonly SourceRange[]): string {
  const lines = text.split('\n');
  const from = Math.min(...ranges.map(({ start }) => start.line));
  if (ranges.length === 0 || from < 1 || from > lines.length) return '';
  const to = Math.min(Math.max(...ranges.map(lastLine)), lines.length);
  const { first, last } = padded(from, to, lines.length);
  const marked = (line: number): boolean =>
    ranges.some((range) => range.start.line <= line && line <= lastLine(range));
  const body = lines
    .slice(first - 1, last)
    .map((content, index) => ` ${marginOf(first + index, marked(first + index))} ${content}\n`);
  return `${filename}:${from}\n${RULE}\n${body.join('')}${RULE}\n`;
}

const lastLine = ({ start, end }: SourceRange): number => Math.max(start.line, end.line);
const marginOf = (line: number, marked: boolean): string =>
  `${String(line).padStart(3)} | ${marked ? '>>>' : '   '}`;

/** Four more lines for a single one, two for several; what one side lacks, the other gets. */
function padded(from: number, to: number, count: number): { readonly first: number; readonly last: number } {
  const wanted = from === to ? 4 : 2;
  let [first, last] = [from, to];
  for (let added = 0; added < wanted; added++) {
    if (first > 1) {
      first--;
      added++;
    }
    if (last !== count) {
      last++;
      added++;
    }
  }
  return { first, last };
}
