// A table without lines: columns as wide as their widest cell, two spaces between them. By hand, since
// a library for tables would cost `status` a tenth of its start-up.
import { stripVTControlCharacters } from 'node:util';

/** The lines of a table. Cells may be coloured; their characters are one column wide each. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = widthsOf(rows);
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column]))
      .join('')
      .trimEnd(),
  );
}

/** A column of a table that has to fit somewhere. */
export interface Column {
  readonly title: string;
  /** Of those that don't all fit, the lowest goes first; null: it stays, whatever happens. */
  readonly keep: number | null;
}

/** The rows with their titles above them, without the columns that have no room in `width`. */
export function fitted(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly string[])[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = widthsOf(all);
  const shown = new Set(columns.keys());
  const least = [...columns.entries()]
    .filter(([, { keep }]) => keep !== null)
    .sort(([, a], [, b]) => (a.keep ?? 0) - (b.keep ?? 0));
  for (const [place] of least) {
    const total = [...shown].reduce((sum, column) => sum + (widths[column] ?? 0) + GAP, -GAP);
    if (total <= width) break;
    shown.delete(place);
  }
  return all.map((row) => row.filter((_, column) => shown.has(column)));
}

/** A text in lines that fit a width, broken between words where there are some. */
export function wrapWords(text: string, width: number): string[] {
  const room = Math.max(MIN_WIDTH, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= room) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = wrap(word, room);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

/** A line in pieces that fit a width; one that does not fit loses its colours. */
export function wrap(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const text = stripVTControlCharacters(line);
  const count = Math.ceil(text.length / columns);
  return Array.from({ length: count }, (_, i) => text.slice(i * columns, (i + 1) * columns));
}

/** The beginning of a line that is too long; it loses its colours then. */
export function cut(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  return `${stripVTControlCharacters(line).slice(0, Math.max(0, columns - 1))}…`;
}

/** Narrower than this nothing can be read: lines may be longer there. */
const MIN_WIDTH = 16;

/** Between two columns. */
const GAP = 2;

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    }
  }
  return widths;
}

function pad(cell: string, width = 0): string {
  return cell + ' '.repeat(width - widthOf(cell) + GAP);
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
