// The live view as lines that fit a terminal: what has no room is left out at the end of its part, and it is said.
import type { Paint } from '../render/paint.ts';
import { groupTable, groupsSum, problemLines } from '../render/groups-text.ts';
import { printable } from '../render/plain.ts';
import { statusParts } from '../render/status-text.ts';
import { cut, wrapWords } from '../render/table.ts';
import { chosenPlace, questionOf } from './view.ts';
import type { Message, Sight, View } from './view.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Look {
  readonly size: Size;
  readonly paint: Paint;
  /** Whether anybody can press keys. */
  readonly takesKeys: boolean;
  /** Whether the last lines are at the end of the screen, however few others there are. */
  readonly isPinned: boolean;
}

/** The lines of a view, as many as there is room for at most, none wider than it. */
export function viewLines(view: View, sight: Sight, look: Look): string[] {
  const { columns, rows } = look.size;
  const end = endLines(view, sight, look);
  const room = Math.max(1, rows - end.length - 1);
  const body = view.isHelp ? helpLines(view, columns) : bodyLines(view, sight, look, room);
  const shown = body.length <= room ? body : [...body.slice(0, room - 1), '…'];
  const gap = look.isPinned ? Array.from({ length: room - shown.length }, () => '') : [];
  return [...shown, ...gap, '', ...end].slice(-Math.max(1, rows)).map((line) => cut(line, columns));
}

/** How many rows of a table a page has. */
export function pageRows({ rows }: Size): number {
  return Math.max(1, rows - FRAME_ROWS);
}

/** The heading, the titles, the message, the keys, and the empty lines between them. */
const FRAME_ROWS = 7;

function bodyLines(view: View, sight: Sight, look: Look, room: number): string[] {
  return view.group === null
    ? listLines(view, sight, look, room)
    : groupLines(view, view.group, sight, look, room);
}

function listLines(view: View, sight: Sight, { paint, size }: Look, room: number): string[] {
  const { groups } = sight;
  if (groups.length === 0) return ['No group is left in this state directory.'];
  const problems = problemLines(groups, paint);
  const [titles = '', ...rows] = groupTable(groups, paint, size.columns - MARK_WIDTH);
  const below = ['', ...problems, groupsSum(groups, paint)];
  const lines = window(marked(rows, view, sight, paint), chosenPlace(view, sight), {
    room: Math.max(1, room - 1 - Math.min(below.length, Math.floor(room / 2))),
  });
  return [`${NO_MARK}${titles}`, ...lines, ...below];
}

function groupLines(
  view: View,
  group: string,
  sight: Sight,
  { paint, size }: Look,
  room: number,
): string[] {
  const { status } = sight;
  if (status === null) {
    const problem = sight.groups.find((seen) => seen.group === group)?.problem ?? null;
    return [paint.strong(group), '', printable(problem ?? 'This group is gone.')];
  }
  const widths = { table: size.columns - MARK_WIDTH, notes: size.columns };
  const { heading, table, facts, warnings } = statusParts(status, paint, widths);
  const [titles, ...rows] = table;
  const left = room - HEAD_ROWS;
  const notes = facts.length + warnings.length;
  const nodesRoom = Math.max(1, left - Math.min(notes, Math.ceil(left / 2)));
  const lines = window(marked(rows, view, sight, paint), chosenPlace(view, sight), {
    room: nodesRoom,
  });
  const nodes = titles === undefined ? [] : [`${NO_MARK}${titles}`, ...lines, ''];
  // What to do about it goes before what else there is to know, where there is no room for both.
  const fits = nodes.length + 2 + notes <= room;
  return [heading, '', ...nodes, ...(fits ? [...facts, ...warnings] : [...warnings, ...facts])];
}

/** The heading, the titles and two empty lines. */
const HEAD_ROWS = 4;

const MARK_WIDTH = 2;
const NO_MARK = ' '.repeat(MARK_WIDTH);

function marked(rows: readonly string[], view: View, sight: Sight, paint: Paint): string[] {
  const chosen = chosenPlace(view, sight);
  return rows.map((row, place) =>
    place === chosen ? `${paint.strong('›')} ${row}` : `${NO_MARK}${row}`,
  );
}

/** As many rows as there is room for, with the chosen one among them, and what is above and below. */
function window(
  rows: readonly string[],
  chosen: number,
  { room }: { readonly room: number },
): string[] {
  if (rows.length <= room) return [...rows];
  const size = room > 2 ? room - 2 : Math.max(1, room);
  const first = Math.min(rows.length - size, Math.max(0, chosen - Math.floor(size / 2)));
  const below = rows.length - first - size;
  return [
    ...(room > 2 ? [`${NO_MARK}${first === 0 ? '' : `… ${String(first)} above`}`] : []),
    ...rows.slice(first, first + size),
    ...(room > 2 ? [`${NO_MARK}${below === 0 ? '' : `… ${String(below)} below`}`] : []),
  ];
}

function endLines(view: View, sight: Sight, { size, paint, takesKeys }: Look): string[] {
  if (!takesKeys) return [paint.faint('Ctrl-C ends this view.')];
  const { question, message } = view;
  if (question !== null) {
    const asked = printable(questionOf(question, sight.status));
    return wrapWords(`${asked} [y/N]`, size.columns).map((line) => paint.strong(line));
  }
  const said = message === null ? [] : messageLines(message, size.columns, paint);
  return [...said, paint.faint(keysLine(view, sight, size.columns))];
}

/** More of a message than this has no room beside what it is about. */
const MESSAGE_ROWS = 4;

function messageLines({ tone, text }: Message, columns: number, paint: Paint): string[] {
  const tones = { good: paint.good, bad: paint.bad, busy: paint.warn };
  const lines = wrapWords(printable(text), columns);
  return lines.slice(0, MESSAGE_ROWS).map((line) => tones[tone](line));
}

/** What fits: the keys that are not named are in the help. */
function keysLine({ group, isHelp, isOpened }: View, { status }: Sight, columns: number): string {
  if (isHelp) return 'any key goes back   Ctrl-C ends';
  if (group === null) return '↑↓ select   Enter open   ? help   q quit';
  const pause = status?.paused === true ? 'z resume' : 'z pause';
  const back = isOpened ? ['Esc back'] : [];
  const keys = ['p promote', 'd demote', pause, ...back, '? help', 'q quit'];
  const all = ['↑↓ choose', ...keys].join('   ');
  if (all.length <= columns) return all;
  const most = keys.join('  ');
  return most.length <= columns ? most : '? help  q quit';
}

function helpLines({ group, isOpened }: View, columns: number): string[] {
  const keys: readonly (readonly [string, string])[] = [
    ['↑ ↓ j k', 'select the entry above or below; PgUp, PgDn, Home and End go further'],
    ...(group === null ? ([['Enter', 'open the group']] as const) : NODE_KEYS),
    ...(isOpened ? ([['Esc', 'go back to all groups']] as const) : []),
    ['Ctrl-Z', 'suspend this view; fg brings it back'],
    ['q Ctrl-C', 'end this view'],
  ];
  const lines = keys.flatMap(([key, what]) =>
    wrapWords(what, columns - KEY_WIDTH).map(
      (line, place) => `${(place === 0 ? key : '').padEnd(KEY_WIDTH)}${line}`,
    ),
  );
  return ['Keys', '', ...lines];
}

const KEY_WIDTH = 10;

const NODE_KEYS: readonly (readonly [string, string])[] = [
  ['p', 'promote the selected node gracefully'],
  ['f', 'force promotion: fence a primary that does not hand over'],
  ['d', 'demote the primary; another takes over'],
  ['z', 'pause the group, or resume it'],
];
