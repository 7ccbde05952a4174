/** Rows as aligned columns, `gap` spaces between them. The last column is not padded. */
export function columns(rows: readonly (readonly string[])[], gap: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column]))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! + gap - lengthOf(cell)),
      )
      .join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

const lengthOf = (cell = ''): number => [...cell].length;
