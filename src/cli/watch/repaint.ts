// What makes one screen of lines out of another: only rows that differ are written, and all of them at once.

/** The text that a terminal is sent; '' where nothing differs. Rows below the last line are emptied. */
export function repaint(before: readonly string[], after: readonly string[]): string {
  const rows = Array.from({ length: Math.max(before.length, after.length) }, (_, row) => row);
  const changes = rows
    .filter((row) => (before[row] ?? '') !== (after[row] ?? ''))
    // Emptied first: at the end of a row that is full the cursor is still on its last character.
    .map((row) => `\u001b[${String(row + 1)};1H\u001b[2K${after[row] ?? ''}`);
  return changes.length === 0 ? '' : `${BEGIN}${changes.join('')}${END}`;
}

/** Terminals that know it show nothing of what is between; others take no notice. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
