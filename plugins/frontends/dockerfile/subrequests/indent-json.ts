/** Compact JSON spread over lines, two spaces a level, as Go's MarshalIndent does it; strings stay as they are. */
export function indentJson(json: string): string {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|\[\]|\{\}|[[\]{},:]|[^"[\]{},:]+/g) ?? [];
  let depth = 0;
  const line = (): string => `\n${'  '.repeat(depth)}`;
  return tokens
    .map((token) => {
      switch (token) {
        case '{':
        case '[':
          depth++;
          return token + line();
        case '}':
        case ']':
          depth--;
          return line() + token;
        case ',':
          return token + line();
        case ':':
          return ': ';
        default:
          return token;
      }
    })
    .join('');
}
