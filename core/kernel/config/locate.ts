/**
 * Finds the line on which a TOML key stands. The parser gives values without positions, and an error that names
 * the line saves its reader a search. Dotted and quoted keys, tables and arrays of tables are understood; a key
 * that is not found answers the line of its nearest table.
 */
type Path = readonly (string | number)[];

const KEY = String.raw`(?:"[^"]*"|'[^']*'|[\w-]+)`;
const HEADER = /^\[{1,2}([^\]]+)\]{1,2}/;
const ASSIGNMENT = new RegExp(String.raw`^(${KEY}(?:\s*\.\s*${KEY})*)\s*=`);

export function lineOfKey(toml: string, path: Path): number | undefined {
  const counts = new Map<string, number>();
  let table: Path = [];
  let nearest: { line: number; depth: number } | undefined;
  for (const [index, raw] of toml.split('\n').entries()) {
    const line = raw.trim();
    const header = HEADER.exec(line);
    const assignment = header ? undefined : ASSIGNMENT.exec(line);
    if (header) table = tablePath(splitKey(header[1]!), line.startsWith('[['), counts);
    else if (!assignment) continue;
    const here = assignment ? [...table, ...splitKey(assignment[1]!)] : table;
    if (!startsWith(path, here)) continue;
    if (nearest === undefined || here.length > nearest.depth)
      nearest = { line: index + 1, depth: here.length };
  }
  return nearest?.line;
}

/** `counts` has the index of the last table of each array that was met, by its path. */
function tablePath(keys: readonly string[], isArray: boolean, counts: Map<string, number>): Path {
  const path: (string | number)[] = [];
  for (const [depth, key] of keys.entries()) {
    path.push(key);
    const name = JSON.stringify(path);
    if (isArray && depth === keys.length - 1) counts.set(name, (counts.get(name) ?? -1) + 1);
    const index = counts.get(name);
    if (index !== undefined) path.push(index);
  }
  return path;
}

const splitKey = (key: string): string[] =>
  [...key.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!);

const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.length <= path.length && prefix.every((part, index) => path[index] === part);
