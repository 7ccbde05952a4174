/**
 * JSON as text: members cut out and put back byte for byte. Parsing and printing again would lose the precision of
 * large numbers and move keys that look like integers.
 */

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const tokens = (text: string): string[] => text.match(token) ?? [];

/** The members of an object, compact and as Go writes them into a larger document; undefined if it is no object. */
export function objectMembers(text: string): Map<string, string> | undefined {
  const value: unknown = JSON.parse(text); // throws for what is no JSON: below everything is known to be well formed
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const members = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let parts: string[] = [];
  for (const part of tokens(text)) {
    if (part === '}' || part === ']') depth--;
    const atTop = depth === 1;
    if (atTop && key === undefined && part.startsWith('"')) key = JSON.parse(part) as string;
    else if (key !== undefined && ((atTop && part === ',') || depth === 0)) {
      members.set(key, escapeHtml(parts.join('')));
      key = undefined;
      parts = [];
    } else if (key !== undefined && !(atTop && part === ':' && parts.length === 0)) parts.push(part);
    if (part === '{' || part === '[') depth++;
  }
  return members;
}

/** An object of compact members, its keys sorted. */
export function sortedObject(members: ReadonlyMap<string, string>): string {
  const sorted = [...members].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([key, value]) => `${escapeHtml(JSON.stringify(key))}:${value}`).join(',')}}`;
}

/** Without spaces, as Go writes it into a larger document. Throws for what is no JSON. */
export function compactJson(text: string): string {
  JSON.parse(text);
  return escapeHtml(tokens(text).join(''));
}

/** Compact JSON with two spaces per level, as Go's MarshalIndent lays it out. */
export function indentJson(compact: string): string {
  let out = '';
  let depth = 0;
  let previous = '';
  const newline = (): string => `\n${'  '.repeat(depth)}`;
  for (const part of tokens(compact)) {
    const closes = part === '}' || part === ']';
    if (closes) depth--;
    if (closes && previous !== '{' && previous !== '[') out += newline();
    else if (!closes && (previous === '{' || previous === '[' || previous === ',')) out += newline();
    out += part === ':' ? ': ' : part;
    if (part === '{' || part === '[') depth++;
    previous = part;
  }
  return out;
}

const escapeHtml = (text: string): string =>
  text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
