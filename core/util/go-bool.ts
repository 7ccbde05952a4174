const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

/** Go's spellings of a boolean (strconv.ParseBool); undefined for anything else. */
export const parseGoBool = (text: string): boolean | undefined => truths.get(text);
