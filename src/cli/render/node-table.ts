// The table of `failover status`: a row for each node, with as many columns as there is room for.
import { counted } from '../../core/counted.ts';
import { humanMs } from '../../core/duration-text.ts';
import type { GroupStatus, NodeEntry } from '../group-status.ts';
import type { Paint } from './paint.ts';
import { fitted, table } from './table.ts';
import type { Column } from './table.ts';

/** The titles, then a line for each node; nothing where there is none. */
export function nodeTable(status: GroupStatus, paint: Paint, width: number): readonly string[] {
  if (status.nodes.length === 0) return [];
  const columns = COLUMNS.filter(({ isShown }) => isShown?.(status) !== false);
  const rows = status.nodes.map((node) => columns.map(({ cell }) => cell(node, status, paint)));
  const [titles = [], ...cells] = fitted(columns, rows, width);
  return table([titles.map((title) => paint.faint(title)), ...cells]);
}

interface NodeColumn extends Column {
  readonly cell: (node: NodeEntry, status: GroupStatus, paint: Paint) => string;
  /** Whether there is anything to tell; left out: always. */
  readonly isShown?: (status: GroupStatus) => boolean;
}

const COLUMNS: readonly NodeColumn[] = [
  { title: 'NODE', keep: null, cell: idOf },
  { title: 'ROLE', keep: null, cell: roleOf },
  { title: 'STATE', keep: null, cell: stateOf },
  { title: 'HEALTH', keep: 7, cell: healthOf },
  { title: 'EPOCH', keep: 2, cell: ({ epoch }) => (epoch === null ? '-' : String(epoch)) },
  { title: 'PID', keep: 1, cell: ({ pid }) => (pid === null ? '-' : String(pid)) },
  { title: 'WORKLOAD', keep: 6, cell: workloadText },
  { title: 'HEARD', keep: 5, cell: (node) => age(node.lastSeenMs ?? node.lastHeartbeatMs) },
  { title: 'LAG', keep: 4, cell: ({ latenessMs }) => age(latenessMs) },
  { title: 'UPTIME', keep: 3, cell: ({ uptimeMs }) => humanMs(uptimeMs) },
  {
    title: 'TARGET',
    keep: 0,
    cell: ({ target }) => target ?? '-',
    // Where none of them is reached there is nothing to tell.
    isShown: ({ nodes }) => nodes.some(({ target }) => target !== null),
  },
];

function idOf({ id }: NodeEntry, { primary }: GroupStatus, paint: Paint): string {
  return id === primary ? paint.strong(id) : id;
}

function roleOf({ id, role }: NodeEntry, { primary }: GroupStatus, paint: Paint): string {
  return id === primary ? paint.good(role) : role;
}

function stateOf(node: NodeEntry, { primary }: GroupStatus, paint: Paint): string {
  const { id, role, state, host, lastSeenMs, willing } = node;
  if (state === 'unresponsive') return paint.bad(state);
  const isSettled = state === 'primary' || state === 'secondary';
  if (!isSettled) return lastSeenMs === null ? paint.warn(state) : `on ${host}`;
  if (id === primary) return 'serving';
  if (role === 'primary') return paint.bad('without lease');
  return willing === false ? 'not willing' : 'standing by';
}

/** Of what is checked there; `-` where nothing is. */
function healthOf({ workload: { health } }: NodeEntry, _: GroupStatus, paint: Paint): string {
  if (health === null) return '-';
  return health === 'unhealthy' ? paint.bad(health) : health;
}

function workloadText({ workload, standby, lastSeenMs }: NodeEntry): string {
  const { pid, state, restarts } = workload;
  if ((state === 'none' || lastSeenMs !== null) && pid === null) return standby;
  const parts = [state, ...(pid === null ? [] : [String(pid)])];
  if (restarts > 0) parts.push(counted(restarts, 'restart'));
  return parts.join(' ');
}

function age(ageMs: number | null): string {
  return ageMs === null ? '-' : humanMs(ageMs);
}
