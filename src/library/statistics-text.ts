// The statistics of an election for people: as plain text, and as a piece of a page.
import { humanMs } from '../core/duration-text.ts';
import type { ElectionNode, ElectionStatistics } from './statistics.ts';

/** A few lines; what came from other nodes has no control characters. */
export function formatStatistics(statistics: ElectionStatistics): string {
  const { nodes, events } = statistics;
  return [
    summary(statistics),
    nodes.length === 0 ? 'nodes: none' : 'nodes:',
    ...nodes.map((node) => `  ${cellsOf(node).join('  ')}`),
    events.length === 0 ? 'events: none' : 'events, the latest first:',
    ...events.map((event) => `  ${Object.values(rowOf(event)).join('  ')}`),
  ]
    .map(withoutControls)
    .join('\n');
}

/** One `<section>` with nothing in it that a node could have put there as markup. */
export function formatStatisticsHtml(statistics: ElectionStatistics): string {
  const { nodes, events } = statistics;
  return [
    '<section>',
    `<p>${escaped(summary(statistics))}</p>`,
    table(['Node', 'Role', 'Priority', 'Host', 'Last seen'], nodes.map(cellsOf)),
    table(
      ['Time', 'Node', 'Action', 'Revision'],
      events.map((event) => Object.values(rowOf(event))),
    ),
    '</section>',
  ].join('\n');
}

function summary({ project, leader, revision }: ElectionStatistics): string {
  const who = leader === null ? 'nobody leads' : `${leader} leads`;
  return `${project}: ${who}, revision ${String(revision)}`;
}

function cellsOf(node: ElectionNode): readonly string[] {
  const { nodeId, isLeader, priority, host, lastSeenMs } = node;
  const rank = priority === 0 ? 'never leads' : `priority ${String(priority)}`;
  const seen = `seen ${humanMs(lastSeenMs)} ago`;
  return [nodeId, isLeader ? 'leader' : 'stands by', rank, host, seen];
}

function rowOf(event: ElectionStatistics['events'][number]): Readonly<Record<string, string>> {
  const { timestamp, nodeId, action, revision } = event;
  return { at: timestamp.toISOString(), nodeId, action, revision: String(revision) };
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return [
    '<table>',
    `<thead>${line(heads, 'th')}</thead>`,
    '<tbody>',
    ...rows.map((row) => line(row, 'td')),
    '</tbody>',
    '</table>',
  ].join('\n');
}

function escaped(text: string): string {
  return withoutControls(text).replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A name may come from anybody who writes to the server: it goes on to terminals. */
function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
