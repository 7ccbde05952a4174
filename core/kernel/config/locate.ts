/**
 * Finds the line on which a TOML key stands. The parser gives values without positions, and an error that names
 * the line saves its reader a search. Dotted and quoted keys, tables and arrays of tables are understood; a key
 * that is not found answers the line of its nearest table.
 */
export function lineOfKey(toml: string, path: readonly (string | number)[]): number | undefined {
  const wanted = path.filter((part): part is string => typeof part === 'string');
  let table: string[] = [];
  let nearest: { line: number; depth: number } | undefined;
  for (const [index, raw] of toml.split('\n').entries()) {
    const line = raw.trim();
    const header = /^\[{1,2}([^\]]+)\]{1,2}/.exec(line);
    const assignment = header
      ? undefined
      : /^((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=/.exec(line);
    if (header) table = splitKey(header[1]!);
    else if (!assignment) continue;
    const here = assignment ? [...table, ...splitKey(assignment[1]!)] : table;
    if (!startsWith(wanted, here)) continue;
    if (nearest === undefined || here.length > nearest.depth)
      nearest = { line: index + 1, depth: here.length };
  }
  return nearest?.line;
}

const splitKey = (key: string): string[] =>
  [...key.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!);

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.length <= path.length && prefix.every((part, index) => path[index] === part);
