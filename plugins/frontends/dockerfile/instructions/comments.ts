/** What the comments above a definition say of `name`: the rest of the line that begins with it. */
export const commentOn = (name: string, comments: readonly string[]): string =>
  name === '' ? '' : (comments.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '');
