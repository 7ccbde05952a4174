/** `WWW-Authenticate` challenges (RFC 9110 §11.6.1), as registries send them. */

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Keys in lower case. */
  readonly params: Readonly<Record<string, string>>;
}

/** Several challenges may share a header line; a bare word followed by `key=` pairs starts each. */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  return lines.flatMap(parseLine);
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const piece = new RegExp(`\\s*,?\\s*(${token})(?:\\s*=\\s*("(?:[^"\\\\]|\\\\.)*"|${token}))?`, 'y');

function parseLine(line: string): Challenge[] {
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  piece.lastIndex = 0;
  for (let match = piece.exec(line); match; match = piece.exec(line)) {
    const [, name, value] = match as unknown as [string, string, string?];
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), params: {} });
    else if (challenges.length > 0) challenges.at(-1)!.params[name.toLowerCase()] = unquote(value);
  }
  return challenges;
}

const unquote = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;

/**
 * Token scopes `type:name:action,…`, merged: one entry per resource, its actions united, everything sorted, so
 * that equal sets of rights are equal lists.
 */
export function mergeScopes(...scopes: readonly string[]): readonly string[] {
  const resources = new Map<string, Set<string>>();
  for (const scope of scopes.flatMap((text) => text.split(' ')).filter(Boolean)) {
    const cut = scope.lastIndexOf(':');
    const resource = cut < 0 ? scope : scope.slice(0, cut);
    const actions = resources.get(resource) ?? new Set();
    for (const action of cut < 0 ? [] : scope.slice(cut + 1).split(',')) actions.add(action);
    resources.set(resource, actions);
  }
  return [...resources].map(([resource, actions]) => `${resource}:${[...actions].sort().join(',')}`).sort();
}
