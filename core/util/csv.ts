/** The fields of one CSV line; a quoted field may hold commas, and quotes doubled. Throws what `fail` makes of a message. */
export function csvFields(line: string, fail: (message: string) => Error): string[] {
  const text = line.replace(/\r?\n$/, '');
  if (text === '') throw fail('EOF');
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = /"((?:[^"]|"")*)"(?=,|$)/y;
    quoted.lastIndex = at;
    const match = quoted.exec(text);
    const end = match ? quoted.lastIndex : (indexOrEnd(text, ',', at) ?? text.length);
    const field = match ? match[1]!.replaceAll('""', '"') : text.slice(at, end);
    if (!match && field.includes('"')) throw fail(bareQuote(at + field.indexOf('"'), field.startsWith('"')));
    fields.push(field);
    if (end >= text.length) return fields;
    at = end + 1;
  }
}

const indexOrEnd = (text: string, wanted: string, from: number): number | undefined => {
  const index = text.indexOf(wanted, from);
  return index < 0 ? undefined : index;
};

const bareQuote = (column: number, quoted: boolean): string =>
  `parse error on line 1, column ${column + 1}: ${quoted ? 'extraneous or missing " in quoted-field' : 'bare " in non-quoted field'}`;
