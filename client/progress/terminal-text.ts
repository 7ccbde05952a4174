/** What steps print, made fit for one line of a terminal. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** Without escape sequences and control characters; of what a carriage return overwrote, the newest. */
export function printable(line: string): string {
  const visible =
    line
      .replace(escapes, '')
      .split('\r')
      .filter((part) => part !== '')
      .at(-1) ?? '';
  return visible.replaceAll('\t', '    ').replace(controls, '');
}

/** At most `columns` characters. */
export const clip = (text: string, columns: number): string =>
  text.length <= columns ? text : `${text.slice(0, Math.max(columns - 1, 0))}…`;

/** The last `count` lines, so that a long log is not kept. */
export function lastLines(text: string, count: number): string {
  let from = text.length;
  for (let seen = 0; seen <= count && from > 0; seen++) {
    from = text.lastIndexOf('\n', from - 1);
    if (from < 0) return text;
  }
  return text.slice(from + 1);
}
