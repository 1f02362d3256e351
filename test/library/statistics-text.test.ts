// The statistics of an election as people read them.
import { expect, it } from 'vitest';
import { readStatistics } from '../../src/library/statistics.ts';
import type { ElectionStatistics } from '../../src/library/statistics.ts';
import { formatStatistics, formatStatisticsHtml } from '../../src/library/statistics-text.ts';

const lastSeen = new Date(0);

const STATISTICS: ElectionStatistics = {
  project: 'reports',
  leader: 'a',
  revision: 7,
  nodes: [
    { nodeId: 'a', host: 'h1', priority: 1, isLeader: true, lastSeen, lastSeenMs: 120 },
    { nodeId: 'b', host: 'h2', priority: 0, isLeader: false, lastSeen, lastSeenMs: 2_000 },
  ],
  events: [{ nodeId: 'a', action: 'granted', revision: 7, timestamp: new Date(0) }],
};

it('are a few lines of text', () => {
  expect(formatStatistics(STATISTICS)).toBe(
    [
      'reports: a leads, revision 7',
      'nodes:',
      '  a  leader  priority 1  h1  seen 120 ms ago',
      '  b  stands by  never leads  h2  seen 2.0 s ago',
      'events, the latest first:',
      '  1970-01-01T00:00:00.000Z  a  granted  7',
    ].join('\n'),
  );
});

it('say so when there is nobody', () => {
  const nothing = { ...STATISTICS, leader: null, nodes: [], events: [] };
  expect(formatStatistics(nothing)).toBe(
    'reports: nobody leads, revision 7\nnodes: none\nevents: none',
  );
});

it('hand no control character of another node on to a terminal', () => {
  const [node] = STATISTICS.nodes;
  if (node === undefined) throw new Error('there is no node');
  const evil = { ...STATISTICS, nodes: [{ ...node, host: 'h\u001b[2J\n9' }] };
  expect(formatStatistics(evil)).toContain('  h [2J 9  ');
});

it('are a piece of a page in which nothing of a node is markup', () => {
  const [node] = STATISTICS.nodes;
  if (node === undefined) throw new Error('there is no node');
  const host = `<script>alert("1")</script>&'`;
  const html = formatStatisticsHtml({ ...STATISTICS, nodes: [{ ...node, host }] });
  expect(html).not.toContain('<script');
  expect(html).toContain('<td>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</td>');
  expect(html).toContain('<th>Last seen</th>');
  expect(html.startsWith('<section>') && html.endsWith('</section>')).toBe(true);
});

it('name as the leader the run that has the lease, and nobody when it is free', async () => {
  const about = { host: 'h', version: '0.0.0', standby: 'cold', startedAt: '' } as const;
  const endpoints = { bus: '', rpc: '' };
  const node = (run: string, priority: number): SeenNodeOf => ({
    ...{ ...about, endpoints, run, priority },
    ...{ node: 'twin', seenAgoMs: 5 },
  });
  const source = {
    look: () =>
      Promise.resolve({ held: true, holder: { node: 'twin', run: 'r2', endpoints }, epoch: 3 }),
    listNodes: () => Promise.resolve([node('r1', 1), node('r2', 2)]),
    readEvents: () => Promise.resolve([]),
  };
  const led = await readStatistics('p', source);
  expect(led.leader).toBe('twin');
  expect(led.nodes.map(({ priority, isLeader }) => [priority, isLeader])).toEqual([
    [2, true],
    [1, false],
  ]);
  const free = { ...source, look: () => Promise.resolve({ held: false, holder: null, epoch: 3 }) };
  expect(await readStatistics('p', free)).toMatchObject({ leader: null, revision: 3 });
});

type SeenNodeOf = Awaited<ReturnType<Parameters<typeof readStatistics>[1]['listNodes']>>[number];
