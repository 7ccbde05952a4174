/** The order of UTF-8 bytes, in which Go sorts strings; `<` on strings orders UTF-16 units instead. */
export const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
