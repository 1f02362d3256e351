// A table without lines: columns as wide as their widest cell, two spaces between them. By hand, since
// a library for tables would cost `status` a tenth of its start-up.
import { stripVTControlCharacters } from 'node:util';

/** The lines of a table. Cells may be coloured; their characters are one column wide each. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) => {
    return Math.max(...rows.map((row) => widthOf(row[column] ?? '')));
  });
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column]))
      .join('')
      .trimEnd(),
  );
}

/** A line in pieces that fit a width; one that does not fit loses its colours. */
export function wrap(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const text = stripVTControlCharacters(line);
  const count = Math.ceil(text.length / columns);
  return Array.from({ length: count }, (_, i) => text.slice(i * columns, (i + 1) * columns));
}

function pad(cell: string, width = 0): string {
  return cell + ' '.repeat(width - widthOf(cell) + 2);
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
