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

/** Takes an element out. */
export function remove<T>(list: T[], element: T): void {
  const at = list.indexOf(element);
  if (at >= 0) list.splice(at, 1);
}
