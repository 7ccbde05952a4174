/** How programs end on an error: one line that says what happened, the excerpt it is about, one line that helps. */
import { BuildError, type ErrorDetail, isCanceled, type SourceRange } from '../../core/contracts/index.js';

/** Exit status of a program that was interrupted. */
export const INTERRUPTED = 130;

/** Prints the error and answers the exit status. */
export function report(error: unknown, prefix: string, write: (text: string) => void, debug = false): number {
  const known = BuildError.from(error);
  const excerpt = known.details
    .filter((detail) => detail.type === 'source')
    .map(excerptOf)
    .join('');
  write(`${excerpt}error: ${prefix}${known.message}\n`);
  if (known.hint) write(`hint: ${known.hint}\n`);
  if (debug && known.stack) write(`${chain(known)}\n`);
  return isCanceled(error) ? INTERRUPTED : 1;
}

const chain = (error: Error): string =>
  error.cause instanceof Error
    ? `${error.stack}\ncaused by ${chain(error.cause)}`
    : (error.stack ?? error.message);

type SourceDetail = Extract<ErrorDetail, { type: 'source' }>;

/** Lines of context around the marked ones. */
const CONTEXT = 2;

/**
 * ```text
 * Dockerfile:3
 * --------------------
 *    1 |     FROM busybox
 *    2 |
 *    3 | >>> RUNN false
 *      |     ^^^^
 * --------------------
 * ```
 */
function excerptOf({ info, ranges }: SourceDetail): string {
  if (!info || ranges.length === 0) return '';
  const lines = Buffer.from(info.data).toString().split('\n');
  const marked = (line: number): boolean =>
    ranges.some(({ start, end }) => line >= start.line && line <= endLine(start.line, end.line));
  const first = Math.max(Math.min(...ranges.map(({ start }) => start.line)) - CONTEXT, 1);
  const last = Math.min(
    Math.max(...ranges.map(({ start, end }) => endLine(start.line, end.line))) + CONTEXT,
    lines.length,
  );
  const rule = '-'.repeat(20);
  const body = Array.from({ length: last - first + 1 }, (_, index) => {
    const line = first + index;
    const text = `${String(line).padStart(4)} | ${marked(line) ? '>>>' : '   '} ${lines[line - 1] ?? ''}`;
    return [text, ...carets(line, ranges)].join('\n');
  });
  const at = firstLine(ranges);
  return `${info.filename}:${at}\n${rule}\n${body.join('\n')}\n${rule}\n`;
}

/** What stands in front of a line of the file. */
const MARGIN = '     |     ';

/** A line that points at the part that is meant, where a range is narrower than its line. */
function carets(line: number, ranges: readonly SourceRange[]): readonly string[] {
  const range = ranges.find(({ start, end }) => start.line === line && end.line === line);
  const width = range ? range.end.character - range.start.character : 0;
  return range && width > 0 ? [`${MARGIN}${' '.repeat(range.start.character)}${'^'.repeat(width)}`] : [];
}

const endLine = (start: number, end: number): number => Math.max(start, end);
const firstLine = (ranges: readonly SourceRange[]): number => ranges[0]!.start.line;
