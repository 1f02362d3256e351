// `failover status` for people: aligned, complete, and coloured only where asked.
import { describe, expect, it } from 'vitest';
import { groupStatusOf } from '../../../src/cli/group-status.ts';
import { createPaint } from '../../../src/cli/render/paint.ts';
import { PLAIN } from '../../../src/cli/render/plain.ts';
import { statusLine, statusLines } from '../../../src/cli/render/status-text.ts';
import { markOf } from '../../../src/cli/status-mark.ts';
import { predictionOf } from '../../../src/runtime/node-status.ts';
import type { NodeStatus } from '../../../src/runtime/node-status.ts';
import { stripVTControlCharacters } from 'node:util';
import {
  answering,
  healthyGroup,
  primaryStatus,
  silentNode,
  snapshotOf,
  statusOf,
} from '../support/snapshot.ts';

describe('the text of a status', () => {
  it('shows a healthy group', () => {
    expect(statusLines(groupStatusOf(healthyGroup()), PLAIN).join('\n')).toMatchInlineSnapshot(`
      "web  primary a  epoch 7

      NODE  ROLE       STATE        HEALTH  EPOCH  PID  WORKLOAD     HEARD  LAG   UPTIME
      a     primary    serving      -       7      197  running 456  34 ms  1 ms  1m 32s
      b     secondary  standing by  -       7      198  cold         34 ms  1 ms  1m 32s
      c     secondary  standing by  -       7      199  cold         36 ms  1 ms  10.4 s

      lease     file, held by a; guards: kernel, lockfile, epoch
      takeover  predicted by b: after a crash about 9 ms, a hang at most 8.0 s
      last      failover z → a, measured 8.1 ms
      next      b, then c
      directory /state/web"
    `);
  });

  it('shows who goes before whom where that is waited for, and who races all the same', () => {
    const nodes = [
      answering(primaryStatus('a', { priority: 200, strategy: 'priority' }), { priority: 200 }),
      answering(statusOf('b', { strategy: 'priority', preemptsInMs: 12_000 }), { priority: 10 }),
      answering(statusOf('c'), { priority: 100 }),
      // Where the better one does not ask.
      answering(statusOf('aa', { strategy: 'priority', preemptsInMs: 44_000 }), { priority: 11 }),
      answering(statusOf('w', { strategy: 'priority', willing: false }), { priority: 0 }),
    ];
    const lines = statusLines(groupStatusOf(snapshotOf('a', nodes)), PLAIN);
    expect(lines.filter((line) => /^(?:order|warning)/.test(line))).toEqual([
      'order     by priority: w never leads, b 10, aa 11, c 100 (races), a 200; b preempts in 12.0 s',
      'warning   c uses --strategy race, but a waits for nodes with a lower priority number: start all nodes of the group with the same --strategy.',
    ]);
  });

  it('says who can not hear the primary, which is no trouble, and what would change that', () => {
    const unheard = { hearsPrimary: false, lastHeartbeatMs: null };
    const nodes = [
      answering(primaryStatus('a')),
      ...['b', 'c'].map((id) => answering(statusOf(id, unheard))),
    ];
    const status = groupStatusOf(snapshotOf('a', nodes));
    expect(statusLines(status, PLAIN).find((line) => line.startsWith('unheard'))).toBe(
      'unheard   a cannot be heard by b, c, only its lease is visible: its sockets are not on this machine; set --bind tcp://… on each node',
    );
    expect(status.warnings).toEqual([]);
  });

  it('shows a group in trouble', () => {
    const a = silentNode('a', 'unresponsive', 'its process is stopped');
    const text = statusLines(groupStatusOf(snapshotOf('a', [a, silentNode('b', 'gone')])), PLAIN);
    expect(text.join('\n')).toMatchInlineSnapshot(`
      "web  primary a  epoch 7

      NODE  ROLE     STATE         HEALTH  EPOCH  PID  WORKLOAD  HEARD  LAG  UPTIME
      a     primary  unresponsive  -       7      197  unknown   -      -    1m 32s

      lease     file, held by a; guards: kernel, lockfile, epoch
      takeover  none: no secondary would take over
      next      nobody
      directory /state/web
      warning   a (pid 197) does not answer: its process is stopped. Continue it with \`fg\` in its terminal, or with \`kill -CONT 197\`.
      warning   b (pid 198) ended unexpectedly: restart it if it is needed.
      warning   No secondary stands by: start another node with the same command."
    `);
  });

  it('shows a group without nodes', () => {
    expect(statusLines(groupStatusOf(snapshotOf(null, [])), PLAIN).join('\n'))
      .toMatchInlineSnapshot(`
      "web  no node is running

      lease     file, free; guards: kernel, lockfile, epoch
      directory /state/web"
    `);
  });

  it('shows no lease and no directory of a group that never was', () => {
    const { observation } = snapshotOf(null, []);
    const unknown = snapshotOf(null, [], {
      paths: null,
      observation: { ...observation, epoch: 0, holder: null },
      elsewhere: ['The group in /state is api: give `--group api`.'],
    });
    expect(statusLines(groupStatusOf(unknown), PLAIN).join('\n')).toMatchInlineSnapshot(`
      "web  no node is running

      warning   No node of group web has ever run in /state. The group in /state is api: give \`--group api\`."
    `);
  });

  it('predicts nothing while nobody leads, and says who is at work', () => {
    const nodes = [statusOf('b', { role: 'candidate', phase: 'acquiring' }), primaryStatus('a')];
    const seen = groupStatusOf(
      snapshotOf(
        null,
        nodes.map((status) => answering(status)),
      ),
    );
    const text = statusLines(seen, PLAIN);
    expect(text.find((line) => line.startsWith('a '))).toContain('without lease');
    expect(text).toContain('takeover  nothing to predict: there is no primary');
    expect(text).toContain('next      b is claiming the lease');
  });

  it.each([
    [null, 'not rehearsed yet'],
    ['never', "its program's callback is not rehearsed"],
  ] as const)('says what a successor has not measured or would not do: %s', (rehearsal, why) => {
    const takeover = predictionOf({ hangMs: null, starvedMs: null }, rehearsal);
    const nodes = [primaryStatus('a'), statusOf('b', { takeover })];
    const seen = groupStatusOf(
      snapshotOf(
        'a',
        nodes.map((status) => answering(status)),
      ),
    );
    expect(statusLines(seen, PLAIN)).toContain(
      `takeover  predicted by b: after a crash unknown (${why}), a hang never (--fence none)`,
    );
  });

  it('does not say that a hang lasts for ever where the lease is on a server and ends by itself', () => {
    const takeover = predictionOf({ hangMs: null, starvedMs: null }, 'on-server');
    const { lease } = primaryStatus('a');
    const a = primaryStatus('a', { lease: { ...lease, kind: 'etcd' } });
    const seen = groupStatusOf(
      snapshotOf('a', [answering(a), answering(statusOf('b', { takeover }))]),
    );
    expect(statusLines(seen, PLAIN).join('\n')).toMatch(/, a hang when its lease has ended$/m);
  });

  it('says of answers that nobody waits for any more that they may just be late', () => {
    const { transport } = statusOf('a');
    const answersRejected = { ...transport.answersRejected, unasked: 6 };
    const a = primaryStatus('a', { transport: { ...transport, answersRejected } });
    expect(statusLines(groupStatusOf(snapshotOf('a', [answering(a)])), PLAIN)).toContain(
      'refused   a: 6 answers (late or unasked)',
    );
  });

  it('fits into 80 columns where ids are short', () => {
    const takeover = predictionOf({ hangMs: 13_000, starvedMs: 13_000 }, 4.6);
    const nodes = [primaryStatus('a'), statusOf('b', { takeover })];
    const seen = groupStatusOf(
      snapshotOf(
        'a',
        nodes.map((status) => answering(status)),
      ),
    );
    const widths = statusLines(seen, PLAIN, 80).map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  it('is the same with colours, but for the colours', () => {
    const status = groupStatusOf(healthyGroup());
    const coloured = statusLines(status, createPaint(1)).join('\n');
    expect(coloured).toContain('\u001B[');
    expect(stripVTControlCharacters(coloured)).toBe(statusLines(status, PLAIN).join('\n'));
  });

  it('lets no text of a node steer the terminal', () => {
    const warning = 'red \u001B[31m\u0007\nnew line';
    const a = primaryStatus('a', { warning });
    const text = statusLines(groupStatusOf(snapshotOf('a', [answering(a)])), PLAIN);
    for (const control of ['\u001B', '\u0007']) expect(text.join('\n')).not.toContain(control);
    expect(text.at(-1)).toContain('a: red  [31m new line');
  });

  it('as one line tells who leads and who stands by', () => {
    expect(statusLine(groupStatusOf(healthyGroup()))).toBe(
      'web: primary a, epoch 7; b secondary, c secondary',
    );
  });

  it.each<readonly [string, Partial<NodeStatus>, string]>([
    ['is well', {}, 'primary a,'],
    ['steps down', { phase: 'demoting' }, 'primary a demoting,'],
    ['starts its command again', { phase: 'restarting' }, 'primary a restarting,'],
    ['is ill', { unhealthyBecause: 'exit code 1' }, 'primary a, unhealthy,'],
  ])('says in one line how a primary is that %s', (_what, change, expected) => {
    const status = groupStatusOf(snapshotOf('a', [answering(primaryStatus('a', change))]));
    expect(statusLine(status)).toContain(expected);
    expect(markOf(status)).not.toBe(markOf({ ...status, paused: true }));
  });
});
