// What is counted of a node, from steps that the core itself decides, and what is looked up.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { initialState } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import type { Step } from '../../src/core/transition.ts';
import { GroupMeters } from '../../src/http/meters.ts';
import type { NodeStatus } from '../../src/runtime/node-status.ts';
import { HttpMeters } from '../../src/http/http-meters.ts';
import { primaryStatus, statusOf } from '../cli/support/snapshot.ts';
import { readPage } from '../docs/support/pages.ts';
import { eventFromWords } from '../support/core-events.ts';
import { settingsWith } from '../support/core-settings.ts';
import { lackOfProgram } from '../support/programs.ts';

/** Those of one node of group g. */
interface OfOne {
  readonly note: (step: Step) => void;
  readonly text: (status: NodeStatus | null) => Promise<string>;
}

function ofOne(): OfOne {
  const meters = new GroupMeters();
  const node = meters.of('g');
  return {
    note: (step) => {
      node.note(step);
    },
    text: (status) => {
      if (status === null) return meters.text({ nodes: new Map(), transport: null });
      const transport = { group: 'g', counters: status.transport };
      return meters.text({ nodes: new Map([['g', status]]), transport });
    },
  };
}

/** The measures after events in the words of the scenarios: the time, the name, and what belongs to it. */
function after(settings: Parameters<typeof settingsWith>[0], ...events: readonly string[]): OfOne {
  const meters = ofOne();
  let state = initialState(0, 1);
  for (const text of events) {
    const [at = '', name = '', ...words] = text.split(' ');
    const event = { ...eventFromWords(name, words.join(' ')), at: Number(at) };
    const next = transition(state, event, settingsWith(settings));
    meters.note({ ...next, before: state, event });
    state = next.state;
  }
  return meters;
}

/** The lines of one measure, without the group, which is in all. */
async function linesOf(
  name: string,
  meters: OfOne,
  status: NodeStatus | null = null,
): Promise<readonly string[]> {
  const lines = (await meters.text(status)).split('\n');
  return lines
    .filter((line) => line.startsWith(`failover_${name}`) && !line.endsWith(' 0'))
    .map((line) =>
      line
        .replace(/group="g",?/, '')
        .replace(/,\}/, '}')
        .replace('{}', ''),
    );
}

const LEADS = [
  '0 started',
  '0 lease-observed',
  '1 lease-granted epoch=1',
  '2 leftovers-cleared',
  '3 workload-armed',
  '4 workload-activated',
];

describe('what is counted of a node', () => {
  it('is how it came to lead, how its workload ended, and why it leads no more', async () => {
    const ends = ['100 workload-ended signal=SIGKILL', '101 workload-stopped'];
    const meters = after({ restart: 'never' }, ...LEADS, ...ends, '102 lease-released');
    expect(await linesOf('promotions_total', meters)).toEqual([
      'failover_promotions_total{reason="start"} 1',
    ]);
    expect(await linesOf('workload_ends_total', meters)).toEqual([
      'failover_workload_ends_total{how="signal"} 1',
    ]);
    expect(await linesOf('demotions_total', meters)).toHaveLength(1);
  });

  it('is how long nobody led before it did', async () => {
    const meters = after(
      {},
      ...['0 started', '0 lease-observed holder=a epoch=3'],
      '500 shutdown-received from=a epoch=3 successor=b ended-ago=40',
      ...['501 lease-granted epoch=4 previous=a', '502 workload-armed', '503 leftovers-cleared'],
      '510 workload-activated',
    );
    const lines = await linesOf('takeover_seconds', meters);
    expect(lines).toContain('failover_takeover_seconds_sum{reason="switchover"} 0.05');
    expect(lines).toContain('failover_takeover_seconds_bucket{le="0.05",reason="switchover"} 1');
  });

  it('is what is heard of the primary: beats of one run, and what became of probes', async () => {
    const beat = 'heartbeat-received from=a epoch=3 succession=b';
    const meters = after(
      {},
      ...['0 started', '0 lease-observed holder=a epoch=3'],
      ...[`100 ${beat}`, `600 ${beat}`, `1100 ${beat}`, `1200 ${beat} run=a2`],
      // Of a later term, after another has led: what was between is no interval.
      '9000 heartbeat-received from=a epoch=5 succession=b',
      ...['1210 probe-failed probe=1', '1220 probe-answered probe=2 run=a1 epoch=3'],
    );
    expect(await linesOf('heartbeat_interval_seconds_count', meters)).toEqual([
      'failover_heartbeat_interval_seconds_count 2',
    ]);
    expect(await linesOf('heartbeat_interval_seconds_sum', meters)).toEqual([
      'failover_heartbeat_interval_seconds_sum 1',
    ]);
    expect(await linesOf('probes_total', meters)).toEqual([
      'failover_probes_total{result="answered"} 1',
      'failover_probes_total{result="failed"} 1',
    ]);
  });
});

describe('what is looked up of a node', () => {
  const meters = ofOne();

  it('is its role, and what goes with it', async () => {
    const text = async (name: string): Promise<readonly string[]> =>
      linesOf(name, meters, primaryStatus('a'));
    expect(await text('role')).toEqual(['failover_role{role="primary"} 1']);
    expect(await text('serving')).toEqual(['failover_serving 1']);
    expect(await text('node_info')).toHaveLength(1);
    // Asked again it is what it is then, and not both.
    expect(await linesOf('role', meters, statusOf('b'))).toEqual([
      'failover_role{role="secondary"} 1',
    ]);
    expect(await linesOf('node_info', meters, statusOf('b'))).toHaveLength(1);
  });

  it('is counted as often as it happened, however often it is asked for', async () => {
    const { transport } = statusOf('b');
    const status = statusOf('b', { restarts: 3, transport: { ...transport, received: 7 } });
    for (let times = 0; times < 3; times += 1) {
      expect(await linesOf('workload_restarts_total', meters, status)).toEqual([
        'failover_workload_restarts_total 3',
      ]);
      expect(await linesOf('messages_received_total', meters, status)).toEqual([
        'failover_messages_received_total 7',
      ]);
    }
  });

  it('is left out where it is not known', async () => {
    const heard = statusOf('b', { lastHeartbeatMs: 250 });
    expect(await linesOf('heartbeat_age_seconds', meters, heard)).toEqual([
      'failover_heartbeat_age_seconds 0.25',
    ]);
    expect(await ofOne().text(null)).not.toMatch(/^failover_epoch /m);
    const silent = await meters.text(statusOf('b', { lastHeartbeatMs: null, health: null }));
    expect(silent).not.toMatch(/^failover_heartbeat_age_seconds/m);
    expect(silent).not.toMatch(/^failover_health\{/m);
    const ill = await linesOf('health{', meters, statusOf('b', { health: 'unhealthy' }));
    expect(ill).toEqual(['failover_health{health="unhealthy"} 1']);
  });
});

/** All that a node tells, after it has told something of everything. */
async function wholeText(): Promise<string> {
  const http = new HttpMeters();
  http.count('/status', 200);
  const node = after({}, ...LEADS, '500 time-passed', '1100 time-passed');
  return `${await node.text(primaryStatus('a'))}\n${await http.text()}`;
}

describe('the lateness of a node', () => {
  it('is measured at each beat of its own, and not where a timer was for something else', async () => {
    const meters = after(
      { heartbeatIntervalMs: 500 },
      '0 started',
      '100 time-passed',
      '520 time-passed',
    );
    const [count] = await linesOf('lateness_seconds_count', meters);
    expect(count).toMatch(/^failover_lateness_seconds_count [1-9]/);
    const [sum = ''] = await linesOf('lateness_seconds_sum', meters);
    expect(Number(sum.split(' ')[1])).toBeGreaterThanOrEqual(0.02);
  });
});

describe('the measures of many groups', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `g${String(i)}`);
  const { transport } = statusOf('b');
  const many = (): GroupMeters => {
    const meters = new GroupMeters();
    for (const name of names) meters.of(name);
    return meters;
  };
  const sights = {
    nodes: new Map(names.map((name) => [name, primaryStatus('a')])),
    transport: { group: null, counters: { ...transport, received: 7 } },
  };

  it('are told once each, with the group as a label, and those of the sockets without', async () => {
    const text = await many().text(sights);
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(types).size).toBe(types.length);
    expect(text.match(/^failover_serving\{group="g\d+"\} 1$/gm)).toHaveLength(1000);
    expect(text).toMatch(/^failover_messages_received_total 7$/m);
    // A bound for what a scrape carries: a label too many would multiply it.
    expect(text.split('\n').length).toBeLessThan(100 * names.length);
  });

  it('tell nothing more of a group that is gone, and of one that comes again from zero', async () => {
    const meters = many();
    const state = initialState(0, 1);
    const step = transition(state, { ...eventFromWords('started', ''), at: 0 }, settingsWith({}));
    const event = { ...eventFromWords('probe-failed', 'probe=1'), at: 0 };
    meters.of('g7').note({ ...step, before: state, event });
    expect(await meters.text(sights)).toMatch(
      /^failover_probes_total\{group="g7",result="failed"\} 1$/m,
    );
    const left = names.filter((name) => name !== 'g7');
    meters.keep(left);
    const nodes = new Map(left.map((name) => [name, primaryStatus('a')]));
    expect(await meters.text({ ...sights, nodes })).not.toContain('"g7"');
    meters.of('g7');
    const again = await meters.text(sights);
    expect(again).toMatch(/^failover_probes_total\{group="g7",result="failed"\} 0$/m);
  });

  it('are whole for each of two who ask at a time', async () => {
    const meters = many();
    const [one, other] = await Promise.all([meters.text(sights), meters.text(sights)]);
    expect(one).toBe(other);
  });
});

const lackOfPromtool = lackOfProgram('promtool');

it.skipIf(lackOfPromtool !== null)(
  'is text that Prometheus itself finds nothing wrong with',
  async () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await wholeText(),
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
    const meters = new GroupMeters();
    const nodes = new Map(['a', 'b'].map((group) => [group, primaryStatus(group)]));
    for (const group of nodes.keys()) meters.of(group);
    const { transport } = statusOf('b');
    const sights = { nodes, transport: { group: null, counters: transport } };
    const input = await meters.text(sights);
    const ofMany = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect([ofMany.status, ofMany.stdout, ofMany.stderr]).toEqual([0, '', '']);
  },
);

it('has the names and labels that the page on it tells of, and no others', async () => {
  const text = await wholeText();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name).sort();
  const page = readPage('docs/metrics.md').text;
  const told = [...page.matchAll(/^\| `(failover_\w+)` \|/gm)].map(([, name]) => name).sort();
  expect(told).toEqual(names);
  const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label));
  for (const label of labels) {
    if (label !== 'group' && label !== 'le') expect(page).toContain(`\`${label}\``);
  }
});
