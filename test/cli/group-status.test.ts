// The status of a group as data: the stable JSON shape, and who counts as what.
import { describe, expect, it } from 'vitest';
import { groupAnswerOf } from '../../src/cli/group-answer.ts';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import { meaningOf } from '../../src/cli/commands/resume.ts';
import { exitCodeOf } from '../../src/cli/commands/status.ts';
import type { GroupSnapshot } from '../../src/cli/client.ts';
import { PLAIN } from '../../src/cli/render/plain.ts';
import { statusLines } from '../../src/cli/render/status-text.ts';
import { nodesElsewhere } from '../../src/cli/store-sight.ts';
import type { StoredSight } from '../../src/lease/remote-store.ts';
import type { NodeStatus } from '../../src/runtime/node-status.ts';
import { predictionOf } from '../../src/runtime/node-status.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  silentNode,
  snapshotOf,
  statusOf,
  setupWith,
} from './support/snapshot.ts';

describe('the JSON of a status', () => {
  it('has the stable shape', () => {
    const lean = { ...healthyGroup(), nodes: healthyGroup().nodes.slice(1) };
    expect(`${JSON.stringify(groupStatusOf(lean), null, 2)}\n`).toMatchInlineSnapshot(`
      "{
        "v": 1,
        "group": "web",
        "epoch": 7,
        "primary": "a",
        "paused": false,
        "warnings": [],
        "takeover": {
          "predictedMs": 9,
          "unpredictedBecause": null,
          "lastMs": 8.13,
          "hangMs": 8000,
          "starvedMs": 16000,
          "last": {
            "kind": "failover",
            "from": "z",
            "to": "a",
            "epoch": 7,
            "reason": "the connection dropped",
            "gapMs": 8.13
          }
        },
        "lease": {
          "kind": "file",
          "held": true,
          "holder": "a",
          "guards": [
            "kernel",
            "lockfile",
            "epoch"
          ],
          "server": null,
          "problem": null
        },
        "succession": [
          "b"
        ],
        "directory": "/state/web",
        "nodes": [
          {
            "id": "a",
            "role": "primary",
            "state": "primary",
            "pid": 197,
            "host": "h",
            "version": "0.1.0",
            "epoch": 7,
            "standby": "cold",
            "since": "2026-03-01T11:59:00.000Z",
            "reason": "This node is now primary: epoch 7",
            "strategy": "race",
            "priority": 100,
            "preemptsInMs": null,
            "lastHeartbeatMs": 34,
            "latenessMs": 1,
            "hearsPrimary": true,
            "uptimeMs": 92000,
            "willing": true,
            "unwillingBecause": null,
            "target": null,
            "unhealthyBecause": null,
            "workload": {
              "pid": 456,
              "state": "running",
              "restarts": 0,
              "health": null
            },
            "transport": {
              "received": 0,
              "delivered": 0,
              "rejected": {
                "malformed": 0,
                "oversized": 0,
                "foreign-group": 0,
                "unknown-version": 0,
                "bad-field": 0,
                "foreign-node": 0,
                "replayed": 0
              },
              "dropped": 0,
              "requests": 0,
              "requestsRejected": {
                "malformed": 0,
                "oversized": 0,
                "invalid": 0,
                "unknown-method": 0,
                "bad-params": 0,
                "unknown-group": 0,
                "too-many": 0
              },
              "answersRejected": {
                "malformed": 0,
                "unasked": 0
              },
              "distrusted": {
                "unsigned": 0,
                "bad-signature": 0,
                "unexpected-signature": 0,
                "repeated": 0,
                "unauthorized-key": 0,
                "broken-handshake": 0
              }
            },
            "lastSeenMs": null
          },
          {
            "id": "b",
            "role": "secondary",
            "state": "secondary",
            "pid": 198,
            "host": "h",
            "version": "0.1.0",
            "epoch": 7,
            "standby": "cold",
            "since": "2026-03-01T11:59:00.000Z",
            "reason": "Another node holds the lease; following it: a holds epoch 7",
            "strategy": "race",
            "priority": 100,
            "preemptsInMs": null,
            "lastHeartbeatMs": 34,
            "latenessMs": 1,
            "hearsPrimary": true,
            "uptimeMs": 92000,
            "willing": true,
            "unwillingBecause": null,
            "target": null,
            "unhealthyBecause": null,
            "workload": {
              "pid": null,
              "state": "none",
              "restarts": 0,
              "health": null
            },
            "transport": {
              "received": 0,
              "delivered": 0,
              "rejected": {
                "malformed": 0,
                "oversized": 0,
                "foreign-group": 0,
                "unknown-version": 0,
                "bad-field": 0,
                "foreign-node": 0,
                "replayed": 0
              },
              "dropped": 0,
              "requests": 0,
              "requestsRejected": {
                "malformed": 0,
                "oversized": 0,
                "invalid": 0,
                "unknown-method": 0,
                "bad-params": 0,
                "unknown-group": 0,
                "too-many": 0
              },
              "answersRejected": {
                "malformed": 0,
                "unasked": 0
              },
              "distrusted": {
                "unsigned": 0,
                "bad-signature": 0,
                "unexpected-signature": 0,
                "repeated": 0,
                "unauthorized-key": 0,
                "broken-handshake": 0
              }
            },
            "lastSeenMs": null
          }
        ]
      }
      "
    `);
  });

  it('lists the primary first, then those that follow in order', () => {
    expect(groupStatusOf(healthyGroup()).nodes.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });
});

describe('the primary', () => {
  it('is the holder of the lease, also when it does not answer', () => {
    const status = groupStatusOf(
      snapshotOf('a', [
        silentNode('a', 'unresponsive', 'no answer in 500 ms'),
        answering(statusOf('b')),
      ]),
    );
    expect(status.primary).toBe('a');
    expect(status.nodes[0]).toMatchObject({ id: 'a', role: 'primary', state: 'unresponsive' });
    expect(status.nodes[0]?.lastHeartbeatMs).toBe(34);
    expect(status.warnings[0]).toContain('no answer in 500 ms');
    expect(status.warnings[0]).toContain('failover promote --force --group web');
    expect(exitCodeOf(status)).toBe(0);
  });

  it.each([
    [
      'kill',
      'stopped',
      'Promote another with `failover promote --force --group web --state-dir /state`, or continue',
    ],
    ['none', 'hung', 'No node may kill it (--fence). Inspect the process, or kill it with `kill'],
    [
      'kill-unless-stopped',
      'stopped',
      'No node may kill it (--fence). Continue it with `fg` in its',
    ],
    [
      'kill-unless-stopped',
      'hung',
      'Promote another with `failover promote --force --group web --state-dir /state`',
    ],
  ] as const)('where others have --fence %s and it is %s: %s', (fence, state, advice) => {
    const silence = state === 'stopped' ? 'its process is stopped' : 'no answer in 500 ms';
    const b = answering(statusOf('b', { setup: setupWith({ fence }) }));
    const a = silentNode('a', 'unresponsive', silence);
    const [warning] = groupStatusOf(snapshotOf('a', [a, b])).warnings;
    expect(warning).toContain(advice);
  });

  it('is to be replaced by a node that may end it', () => {
    const b = answering(statusOf('b', { setup: setupWith({ fence: 'none' }) }));
    const nodes = [silentNode('a', 'unresponsive'), b, answering(statusOf('c'))];
    const [warning] = groupStatusOf(snapshotOf('a', nodes)).warnings;
    expect(warning).toContain('`failover promote c --force --group web --state-dir /state`');
  });

  it('is waited for, where one takes over by itself within its bound', () => {
    const warningWith = (change: Partial<NodeStatus>): string | undefined => {
      const nodes = [silentNode('a', 'unresponsive'), answering(statusOf('b', change))];
      return groupStatusOf(snapshotOf('a', nodes)).warnings[0];
    };
    const ahead = 'b takes over within at most 7.0 s, unless it answers again. Promote another';
    expect(warningWith({ lastHeartbeatMs: 1_000 })).toContain(ahead);
    expect(warningWith({ lastHeartbeatMs: 9_000 })).not.toContain('takes over within');
    expect(warningWith({ lastHeartbeatMs: 1_000, willing: false })).not.toContain('within');
  });

  it('is nobody while the lease is free, whatever a node claims', () => {
    const status = groupStatusOf(snapshotOf(null, [answering(primaryStatus('a'))]));
    expect(status.primary).toBeNull();
    expect(status.lease.holder).toBeNull();
    expect(exitCodeOf(status)).toBe(3);
  });

  it('is not a node that claims to be while another holds the lease, and that is said', () => {
    const old = primaryStatus('a', { epoch: 6 });
    const status = groupStatusOf(
      snapshotOf('b', [answering(old), answering(primaryStatus('b', { succession: [] }))]),
    );
    expect(status.primary).toBe('b');
    expect(status.warnings[0]).toContain('a still acts as primary of epoch 6');
    expect(status.warnings[0]).toContain('failover stop a --group web');
  });

  it('is nobody while the holder of the lease has not completed its promotion', () => {
    const candidate = statusOf('a', { role: 'candidate', phase: 'promoting' });
    const status = groupStatusOf(snapshotOf('a', [answering(candidate)]));
    expect(status.primary).toBeNull();
    expect(status.lease.holder).toBe('a');
    expect(status.nodes[0]?.state).toBe('promoting');
    expect(exitCodeOf(status)).toBe(3);
  });

  it('is nobody while the holder of the lease says that it has stepped down', () => {
    // So it is where its server can't be reached: what was seen of the lease last stays what is known.
    const stepped = statusOf('a', { phase: 'waiting', primary: null });
    const status = groupStatusOf(snapshotOf('a', [answering(stepped)]));
    expect(status.primary).toBeNull();
    expect(status.nodes[0]?.state).toBe('waiting');
    expect(exitCodeOf(status)).toBe(3);
  });

  it('is nobody when the lock is held by no living node, and that is said', () => {
    const status = groupStatusOf(snapshotOf('a', [silentNode('a', 'gone')]));
    expect(status.primary).toBeNull();
    expect(status.warnings[0]).toContain('not a live node of this group');
  });
});

describe('nodes', () => {
  it('that died without a word are named in a warning and not shown as alive', () => {
    const status = groupStatusOf(
      snapshotOf('a', [answering(primaryStatus('a')), silentNode('d', 'gone')]),
    );
    expect(status.nodes.map(({ id }) => id)).toEqual(['a']);
    expect(status.warnings).toContainEqual(
      expect.stringContaining('d (pid 200) ended unexpectedly'),
    );
  });

  it('that died and came back under their id are not missed', () => {
    const before = silentNode('a', 'gone');
    const earlier = { ...before, record: { ...before.record, run: 'run-earlier' } };
    const status = groupStatusOf(snapshotOf('a', [earlier, answering(primaryStatus('a'))]));
    expect(status.warnings.filter((warning) => warning.includes('ended unexpectedly'))).toEqual([]);
  });

  it('that died and left something running are named with it, also when they came back', () => {
    const dead = { ...silentNode('a', 'gone'), leftovers: [456] };
    const earlier = { ...dead, record: { ...dead.record, run: 'run-earlier' } };
    const status = groupStatusOf(snapshotOf('a', [earlier, answering(primaryStatus('a'))]));
    expect(status.warnings[0]).toContain(
      'left pid 456 running: no command starts until it exits on its own',
    );
  });

  it('that left several things running are told of in the plural', () => {
    const dead = { ...silentNode('a', 'gone'), leftovers: [456, 457] };
    const status = groupStatusOf(snapshotOf('b', [dead, answering(primaryStatus('b'))]));
    expect(status.warnings[0]).toContain(
      'left pids 456, 457 running: no command starts until they exit on their own',
    );
  });

  it('of another pid namespace that do not answer are neither alive nor dead', () => {
    const status = groupStatusOf(snapshotOf(null, [silentNode('x', 'unknown', 'nobody answers')]));
    expect(status.nodes).toEqual([]);
    expect(status.warnings).toContainEqual(expect.stringContaining('another pid namespace'));
  });

  it('that would not take over are no successors, and say why', () => {
    const held = statusOf('b', { willing: false, unwillingBecause: 'it holds off for 500 ms' });
    const status = groupStatusOf(snapshotOf('a', [answering(primaryStatus('a')), answering(held)]));
    expect(status.succession).toEqual([]);
    expect(status.takeover.predictedMs).toBeNull();
    expect(status.warnings).toEqual(['b would not take over: it holds off for 500 ms.']);
  });
});

describe('nobody who would take over', () => {
  const demoted = 'it was demoted and waits until another node has led';
  const a = answering(statusOf('a', { willing: false, unwillingBecause: demoted, primary: null }));

  it('is a reason to say how one is told to lead', () => {
    expect(groupStatusOf(snapshotOf(null, [a])).warnings).toEqual([
      `a would not take over: ${demoted}. ` +
        'Run `failover promote a --group web --state-dir /state` to have it lead now.',
    ]);
    const able = answering(statusOf('b', { primary: null }));
    expect(groupStatusOf(snapshotOf(null, [a, able])).warnings).toEqual([
      `a would not take over: ${demoted}.`,
    ]);
  });

  it('is told of beside a pause, which is not said of each again', () => {
    const b = answering(statusOf('b', { willing: false, unwillingBecause: 'the group is paused' }));
    const group = snapshotOf(null, [a, b]);
    const paused = { ...group, observation: { ...group.observation, paused: true } };
    expect(groupStatusOf(paused).warnings.slice(1)).toEqual([
      expect.stringContaining(`a would not take over: ${demoted}.`),
    ]);
  });

  it('is what a resumed group has where all are held off, or none stands by', () => {
    const b = answering(statusOf('b', { willing: false, unwillingBecause: 'the group is paused' }));
    const leader = answering(primaryStatus('c'));
    expect(meaningOf(snapshotOf(null, [a]))).toBe(`No secondary would take over: a: ${demoted}.`);
    expect(meaningOf(snapshotOf(null, [a, b]))).toBe('Secondaries take over automatically again.');
    expect(meaningOf(snapshotOf('c', [leader]))).toBe('No secondary stands by.');
  });

  it.each(['it is barred from leading', 'it is about to be suspended'])(
    'is not to be promoted where a request is refused as well: %s',
    (unwillingBecause) => {
      const barred = answering(statusOf('a', { willing: false, unwillingBecause, primary: null }));
      expect(groupStatusOf(snapshotOf(null, [barred])).warnings).toEqual([
        `a would not take over: ${unwillingBecause}.`,
      ]);
    },
  );

  it('is not hidden by one that does not answer, or by the primary elsewhere', () => {
    const leader = answering(primaryStatus('c'));
    const silent = silentNode('x', 'unresponsive', 'no answer');
    expect(meaningOf(snapshotOf('c', [leader, silent]))).toBe('No secondary stands by.');
  });

  it('is what a primary has whose only partners never lead', () => {
    const never = answering(statusOf('b', { willing: false, priority: 0 }), { priority: 0 });
    const leader = answering(primaryStatus('a', { succession: [] }));
    expect(groupStatusOf(snapshotOf('a', [leader, never])).warnings).toEqual([
      'Nobody would take over: b never leads (--priority 0). Start another node with the same command.',
    ]);
  });
});

describe('the succession', () => {
  it('is what the primary says, without those that have gone', () => {
    const a = primaryStatus('a', { succession: ['gone', 'c', 'b'] });
    const nodes = [answering(a), answering(statusOf('b')), answering(statusOf('c'))];
    expect(groupStatusOf(snapshotOf('a', nodes)).succession).toEqual(['c', 'b']);
  });

  it('without a primary begins with the lowest priority number', () => {
    const nodes = [
      answering(statusOf('b')),
      answering(statusOf('c', { priority: 5 }), { priority: 5 }),
    ];
    expect(groupStatusOf(snapshotOf(null, nodes)).succession).toEqual(['c', 'b']);
  });
});

describe('a takeover', () => {
  it('is predicted by the one that would take over', () => {
    const b = statusOf('b', {
      takeover: { crashMs: 6, crashUnknownBecause: null, hangMs: 900, starvedMs: 2000 },
    });
    const status = groupStatusOf(snapshotOf('a', [answering(primaryStatus('a')), answering(b)]));
    expect(status.takeover).toMatchObject({ predictedMs: 6, hangMs: 900, starvedMs: 2000 });
  });

  it('is not predicted where nobody leads', () => {
    const status = groupStatusOf(snapshotOf(null, [answering(statusOf('b'))]));
    expect(status.succession).toEqual(['b']);
    expect(status.takeover).toMatchObject({ predictedMs: null, hangMs: null, starvedMs: null });
  });

  it('that was the first start of all has no time', () => {
    const last = { kind: 'start', from: null, to: 'a', epoch: 1, reason: 'x', gapMs: 3 } as const;
    const a = primaryStatus('a', { lastTakeover: last });
    expect(groupStatusOf(snapshotOf('a', [answering(a)])).takeover.lastMs).toBeNull();
  });

  it('is the one of the highest epoch that anybody remembers', () => {
    const old = {
      kind: 'switchover',
      from: 'a',
      to: 'b',
      epoch: 3,
      reason: 'x',
      gapMs: 1,
    } as const;
    const nodes = [answering(statusOf('b', { lastTakeover: old })), answering(primaryStatus('a'))];
    expect(groupStatusOf(snapshotOf('a', nodes)).takeover.lastMs).toBe(8.13);
  });
});

describe('warnings', () => {
  it('say who paused the group and how it goes on', () => {
    const group = healthyGroup();
    const paused = { ...group, observation: { ...group.observation, paused: true } };
    const status = groupStatusOf({ ...paused, pause: { by: 'eve@h', at: null } });
    expect(status.paused).toBe(true);
    expect(status.warnings).toEqual([
      'The group is paused by eve@h: no node takes over automatically. Run `failover resume --group web --state-dir /state`.',
    ]);
  });

  it('say when nobody stands by, and when a record can not be read', () => {
    const group = snapshotOf('a', [answering(primaryStatus('a', { succession: [] }))]);
    const observation = { ...group.observation, holder: null, recordUnreadable: true };
    expect(groupStatusOf(group).warnings).toContainEqual(expect.stringContaining('No secondary'));
    expect(groupStatusOf({ ...group, observation }).warnings[0]).toContain('/state/web/epochs');
  });

  it('say that a primary has lost its lease, also while nobody else has it', () => {
    const nodes = [answering(primaryStatus('a')), answering(statusOf('b'))];
    const [warning] = groupStatusOf(snapshotOf(null, nodes)).warnings;
    expect(warning).toBe(
      'a still acts as primary of epoch 7, but its lease is gone: /state/web was removed or ' +
        'replaced. It steps down at its next heartbeat.',
    );
    const elsewhere = groupStatusOf(snapshotOf('c', [...nodes, answering(primaryStatus('c'))]));
    expect(elsewhere.warnings[0]).toContain('but c holds the lease');
  });

  it('do not take the last step of a demotion for that', () => {
    const a = answering(primaryStatus('a', { phase: 'demoting' }));
    expect(groupStatusOf(snapshotOf(null, [a])).warnings).toEqual([]);
  });

  it('say that a group never was, and not where it would be', () => {
    const { warnings } = groupStatusOf({ ...snapshotOf(null, []), paths: null });
    expect(warnings).toEqual([
      'No node of group web has ever run in /state: start one with `failover run --group web --state-dir /state -- COMMAND`.',
    ]);
  });

  it('of several nodes that say the same are one', () => {
    const warning = 'the state directory was removed';
    const nodes = [primaryStatus('a', { warning }), statusOf('b', { warning })].map((status) =>
      answering(status),
    );
    expect(groupStatusOf(snapshotOf('a', nodes)).warnings).toEqual([`a, b: ${warning}`]);
  });

  it('of a node itself carry its name', () => {
    const a = primaryStatus('a', { warning: 'version 0.2.0 beside 0.1.0' });
    const status = groupStatusOf(snapshotOf('a', [answering(a), answering(statusOf('b'))]));
    expect(status.warnings).toEqual(['a: version 0.2.0 beside 0.1.0']);
  });
});

describe('a group whose lease is on a server', () => {
  it('has the nodes of other machines, and a primary among them', () => {
    const away = snapshotOf('a', [answering(statusOf('b', { primary: 'a' }))]);
    const snapshot = withStore(away, { nodes: [storedNode('a'), storedNode('c', 9_000)] });
    const status = groupStatusOf(snapshot);
    expect(status).toMatchObject({
      primary: 'a',
      lease: { holder: 'a', server: 'redis://s:6379/0' },
    });
    expect(status.nodes.map(({ id, role, state }) => `${id} ${role} ${state}`)).toEqual([
      ...['a primary elsewhere', 'b secondary secondary', 'c secondary elsewhere'],
    ]);
    expect(status.nodes[0]).toMatchObject({ host: 'h2', pid: 7, lastSeenMs: 120, epoch: 7 });
    expect(status.warnings).toEqual([
      'c on h2 was last seen by the lease server 9.0 s ago: check it there.',
    ]);
    const text = statusLines(status, PLAIN).join('\n');
    expect(text).toContain('primary a');
    expect(text).toMatch(/^a +primary +on h2 +- +7 +7 +cold +120 ms/m);
  });

  it.each(['etcd', 'timed-file'] as const)(
    'does not warn of nodes that %s, which hears of them now and then only, saw within that time',
    (kind) => {
      const away = snapshotOf('a', [answering(statusOf('b', { primary: 'a' }))]);
      const seen = withStore(away, { nodes: [storedNode('a', 9_000), storedNode('c', 11_000)] });
      const { store } = seen;
      if (store === null) throw new Error('the snapshot has no store');
      const { warnings } = groupStatusOf({ ...seen, store: { ...store, kind } });
      expect(warnings).toEqual([
        'c on h2 was last seen by the lease server 11.0 s ago: check it there.',
      ]);
    },
  );

  it('tells what the next one of this machine predicts when the primary is on another', () => {
    const why = 'the time that a server takes is not rehearsed';
    const takeover = predictionOf({ hangMs: 3_500, starvedMs: 3_500 }, 'on-server');
    const away = snapshotOf('a', [answering(statusOf('b', { primary: 'a', takeover }))]);
    const status = groupStatusOf(withStore(away, { nodes: [storedNode('a')] }));
    expect(status.takeover).toMatchObject({ hangMs: 3_500, unpredictedBecause: why });
    expect(statusLines(status, PLAIN)).toContain(
      `takeover  predicted by b: after a crash unknown (${why}), a hang at most 3.5 s`,
    );
  });

  it('does not show a node of this machine twice', () => {
    const snapshot = withStore(healthyGroup(), { nodes: [storedNode('a')] });
    expect(groupStatusOf(snapshot).nodes).toHaveLength(healthyGroup().nodes.length);
  });

  it('says what is missing when its server can not be asked, and that nobody knows', () => {
    const problem = 'Cannot reach the lease store redis://s:6379/0: it does not answer';
    const empty = { ...healthyGroup(), nodes: [] };
    const free = { ...empty, observation: { ...empty.observation, held: false, holder: null } };
    const status = groupStatusOf(withStore(free, { nodes: [], problem }));
    expect(status.warnings[0]).toBe(`${problem}. Showing only what this machine knows.`);
    expect([status.primary, exitCodeOf(status)]).toEqual([null, 1]);
    expect(exitCodeOf(groupStatusOf(free))).toBe(3);
    const lines = statusLines(status, PLAIN);
    expect(lines).toContain('lease     redis://s:6379/0, not known; guards: redis, epoch');
    expect(groupAnswerOf(withStore(free, { nodes: [], problem }))).toBe(
      `The primary is not known here. ${problem}.`,
    );
  });

  it('has its lease as it was seen last where its server can not be asked', () => {
    const { lease } = primaryStatus('a');
    const a = answering(primaryStatus('a', { lease: { ...lease, kind: 'redis' } }));
    const lines = statusLines(
      groupStatusOf(withStore(snapshotOf('a', [a]), { nodes: [], problem: 'It is silent' })),
      PLAIN,
    );
    expect(lines.join('\n')).toContain(', held by a when last seen; guards:');
    // One that lives no more had it, or one elsewhere: its server would know.
    const gone = groupStatusOf(
      withStore(snapshotOf('b', [a]), { nodes: [], problem: 'It is silent' }),
    );
    expect(statusLines(gone, PLAIN).join('\n')).toContain(', held by b when last seen; guards:');
    expect(gone.warnings.join()).not.toContain('no living node');
  });

  it('shows once who came back under its id, and both where two live under one', () => {
    const startedAt = new Date(snapshotOf(null, []).takenAtMs - 2_000).toISOString();
    const back = { ...storedNode('c'), run: 'run-back', startedAt };
    const shown = (seenAgoMs: number): readonly string[] => {
      const nodes = [storedNode('c', seenAgoMs), back];
      return nodesElsewhere(withStore(snapshotOf('a', []), { nodes })).map(({ run }) => run);
    };
    expect(shown(3_000)).toEqual(['run-back']);
    expect(shown(1_000)).toEqual(['run-c', 'run-back']);
    const nodes = [storedNode('c', 3_000)];
    const here = snapshotOf('a', [answering(statusOf('c'), { run: 'run-back', startedAt })]);
    expect(nodesElsewhere(withStore(here, { nodes }))).toEqual([]);
    const leads = withStore(snapshotOf('c', []), { nodes: [...nodes, back] });
    expect(nodesElsewhere(leads).map(({ run }) => run)).toEqual(['run-c', 'run-back']);
  });

  it('calls its lease in files that machines share what the manual does, and programs a word of theirs', () => {
    const { lease } = primaryStatus('a');
    const ofFiles = { ...lease, kind: 'timed-file', guards: ['timed-file', 'epoch'] } as const;
    const status = groupStatusOf(
      snapshotOf('a', [answering(primaryStatus('a', { lease: ofFiles }))]),
    );
    expect(status.lease.kind).toBe('timed-file');
    expect(statusLines(status, PLAIN).join('\n')).toContain(
      'shared files, held by a; guards: shared files, epoch',
    );
  });

  it('advises commands that work where it was looked for, and repeats no password', () => {
    const paused = snapshotOf('a', healthyGroup().nodes, { lease: 'redis://me:hush@s' });
    const seen = { ...paused, observation: { ...paused.observation, paused: true } };
    const text = groupStatusOf(seen).warnings.join();
    expect(text).toContain(
      '`failover resume --group web --state-dir /state --lease "$FAILOVER_LEASE"`',
    );
    expect(text).not.toContain('hush');
  });

  it('is not unknown where its server knows nodes of it', () => {
    const empty = { ...healthyGroup(), nodes: [], paths: null };
    const known = groupStatusOf(withStore(empty, { nodes: [storedNode('a')] }));
    expect(known.warnings).toEqual([]);
    const unknown = groupStatusOf(withStore(empty, { nodes: [] }));
    expect(unknown.warnings[0]).toContain('and redis://s:6379/0 has no record of one');
  });
});

function withStore(
  snapshot: GroupSnapshot,
  {
    nodes,
    problem = null,
  }: { readonly nodes: readonly StoredSight[]; readonly problem?: string | null },
): GroupSnapshot {
  const about = { kind: 'redis', guards: ['redis', 'epoch'], shown: 'redis://s:6379/0' } as const;
  return { ...snapshot, store: { ...about, observation: null, nodes, events: [], problem } };
}

function storedNode(node: string, seenAgoMs = 120): StoredSight {
  return {
    ...{ node, run: `run-${node}`, host: 'h2', version: '0.1.0', priority: 100, seenAgoMs, pid: 7 },
    ...{ endpoints: { bus: '', rpc: '' }, standby: 'cold', startedAt: '2026-03-01T11:58:28.000Z' },
  };
}
