// `failover status` of several groups for people: a row for each, then how many are well.
import { counted } from '../../core/counted.ts';
import type { GroupStatus } from '../group-status.ts';
import type { SeenGroup } from '../groups.ts';
import type { Paint } from './paint.ts';
import { printable } from './plain.ts';
import { takeoverText } from './status-text.ts';
import { fitted, table } from './table.ts';
import type { Column } from './table.ts';

/** The lines of all groups; the table is at most so wide. */
export function groupsLines(
  groups: readonly SeenGroup[],
  paint: Paint,
  width: number = Number.POSITIVE_INFINITY,
): string[] {
  return [
    ...groupTable(groups, paint, width),
    '',
    ...problemLines(groups, paint),
    groupsSum(groups, paint),
  ];
}

/** The titles, then a line for each group, in their order. */
export function groupTable(
  groups: readonly SeenGroup[],
  paint: Paint,
  width: number,
): readonly string[] {
  const rows = groups.map((seen) => COLUMNS.map(({ cell }) => printableCell(cell, seen, paint)));
  const [titles = [], ...cells] = fitted(COLUMNS, rows, width);
  return table([titles.map((title) => paint.faint(title)), ...cells]);
}

/** What could not be looked at. */
export function problemLines(groups: readonly SeenGroup[], paint: Paint): string[] {
  return groups.flatMap(({ group, problem }) =>
    problem === null ? [] : [`${paint.warn('warning')}   ${group}: ${printable(problem)}`],
  );
}

/** How many there are, and how many of them are led. */
export function groupsSum(groups: readonly SeenGroup[], paint: Paint): string {
  const led = groups.filter(({ status }) => (status?.primary ?? null) !== null).length;
  const unknown = groups.filter(isUnknown).length;
  const without = groups.length - led - unknown;
  return [
    `${counted(groups.length, 'group')}: ${String(led)} with a primary`,
    ...(without === 0 ? [] : [paint.bad(`${String(without)} without`)]),
    ...(unknown === 0 ? [] : [paint.warn(`${String(unknown)} not known`)]),
  ].join(', ');
}

/** Whether nobody here can say who leads it. */
function isUnknown({ status }: SeenGroup): boolean {
  return status === null || (status.primary === null && status.lease.problem !== null);
}

type Cell = (status: GroupStatus, paint: Paint) => string;

interface GroupColumn extends Column {
  readonly cell: Cell;
}

const COLUMNS: readonly GroupColumn[] = [
  { title: 'GROUP', keep: null, cell: ({ group }, paint) => paint.strong(group) },
  { title: 'PRIMARY', keep: null, cell: primaryOf },
  { title: 'EPOCH', keep: 1, cell: ({ epoch }) => String(epoch) },
  { title: 'NODES', keep: 3, cell: nodesOf },
  { title: 'HEALTH', keep: 4, cell: healthOf },
  { title: 'LAST TAKEOVER', keep: 2, cell: lastOf },
  {
    title: 'WARNINGS',
    keep: 5,
    cell: ({ warnings: { length } }, paint) => (length === 0 ? '-' : paint.warn(String(length))),
  },
];

/** One that can't be looked at has nothing to tell but its name. */
function printableCell(cell: Cell, { group, status }: SeenGroup, paint: Paint): string {
  if (status !== null) return cell(status, paint);
  return cell === COLUMNS[0]?.cell ? paint.strong(group) : cell === primaryOf ? '?' : '-';
}

function primaryOf({ primary, nodes, lease, paused }: GroupStatus, paint: Paint): string {
  const mark = paused ? paint.warn(' paused') : '';
  if (primary !== null) return `${paint.good(printable(primary))}${mark}`;
  if (lease.problem !== null) return `${paint.warn('not known')}${mark}`;
  return `${paint.bad(nodes.length === 0 ? 'no node' : 'none')}${mark}`;
}

function nodesOf({ nodes }: GroupStatus, paint: Paint): string {
  const silent = nodes.filter(({ state }) => state === 'unresponsive').length;
  const count = String(nodes.length);
  return silent === 0 ? count : `${count} ${paint.bad(`(${String(silent)} silent)`)}`;
}

/** That of the primary, unless another is unwell. */
function healthOf({ nodes, primary }: GroupStatus, paint: Paint): string {
  const unwell = nodes.filter(({ workload }) => workload.health === 'unhealthy');
  const [first] = unwell;
  if (first !== undefined) {
    const more = unwell.length === 1 ? '' : ` +${String(unwell.length - 1)}`;
    return paint.bad(`unhealthy: ${printable(first.id)}${more}`);
  }
  return nodes.find(({ id }) => id === primary)?.workload.health ?? '-';
}

function lastOf({ takeover: { last } }: GroupStatus): string {
  return last === null || last.kind === 'start' ? '-' : printable(takeoverText(last));
}
