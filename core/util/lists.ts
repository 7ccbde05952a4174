/** For lists of which there are many, and which mostly have one element or none. */

export const none: readonly never[] = [];

/**
 * The list with one more element: the same one, unless it was empty. Only its owner may call this. (`push` gives an
 * empty array room for seventeen at once.)
 */
export function append<T>(list: readonly T[], element: T): readonly T[] {
  if (list.length === 0) return [element];
  (list as T[]).push(element);
  return list;
}

/** The list without an element: the same one, unless it is empty then. Only its owner may call this. */
export function without<T>(list: readonly T[], element: T): readonly T[] {
  const at = list.indexOf(element);
  if (at < 0) return list;
  if (list.length === 1) return none;
  const rest = list as T[];
  // `splice` would make one more list, of what it takes out.
  for (let next = at + 1; next < rest.length; next++) rest[next - 1] = rest[next]!;
  rest.pop();
  return rest;
}
