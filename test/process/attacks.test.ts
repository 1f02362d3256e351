// Schedules made to get two active: stopped or killed at one exact step, foreign locks, jumping clocks.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { shimmed } from '../support/process-shimmed.ts';
import { holdLock } from '../support/process-strangers.ts';

/** The steps of a promotion, by the call that a node makes at each. */
const STEPS = [
  'linkSync /epochs/ before',
  'linkSync /epochs/ after',
  'writeSync "kind":"workload" before',
  'writeSync "kind":"workload" after',
  'renameSync role- before',
  'renameSync role- after',
] as const;

describe.each(STEPS)('a candidate at the step "%s"', (step) => {
  it('is killed: the next one serves', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const b = group.launch('b', { env: shimmed({ SHIM_AT: `${step} SIGKILL` }) });
      await group.until('b to be there', () => b.end !== null || b.phase === 'watching');
      await group.start('c');
      a.kill('SIGKILL');
      const c = group.nodes.at(-1);
      await group.until('c to serve', () => c?.phase === 'serving');
      b.kill('SIGKILL');
    }));

  it('is stopped: it is fenced as the holder that the kernel shows, and the next one serves', () =>
    inGroup(async (group) => {
      const b = group.launch('b', { env: shimmed({ SHIM_AT: `${step} SIGSTOP` }) });
      await group.until('b to stop', () => group.stateOf(b.pid) === 'T');
      const c = await group.start('c');
      await group.reaches(c, 'serving');
      b.kill('SIGCONT');
      b.kill('SIGKILL');
    }));
});

describe('a primary', () => {
  it('that is stopped in the middle of its step down: its successor empties what is left', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run: 'exec "$W" --stop-ms 1500' });
      await group.active(1);
      a.kill('SIGTERM');
      await group.reaches(a, 'demoting');
      a.kill('SIGSTOP');
      await group.reaches(b, 'serving');
      await group.active(2);
      a.kill('SIGCONT');
    }));

  it('that is stopped for a moment again and again keeps serving, or has lost: never both', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      for (let round = 0; round < 6 && a.end === null; round += 1) {
        a.kill('SIGSTOP');
        await group.until('the stop', () => a.end !== null || group.stateOf(a.pid) === 'T');
        a.kill('SIGCONT');
        await group.beats(1);
      }
      await group.primaryOf([a, b]);
    }));

  it('whose workload and supervisor are killed in turn, at random, keeps the promise', () =>
    inGroup(async (group) => {
      const living = [...(await group.startAll(['a', 'b', 'c', 'd', 'e']))];
      while (living.length > 1) {
        const primary = await group.primaryOf(living);
        const pid = group.lines.filter(({ what }) => what === 'start').at(-1)?.pid;
        if (pid !== undefined && living.length % 2 === 0) group.signal(pid, 'SIGKILL');
        primary.kill('SIGKILL');
        living.splice(living.indexOf(primary), 1);
      }
      await group.primaryOf(living);
    }));
});

describe('a foreign program', () => {
  it('that holds primary.lock is named and not killed, and its end lets a node lead', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      a.kill('SIGTERM');
      await group.ends(a);
      const foreign = await holdLock(group, 'primary.lock');
      const b = await group.start('b');
      await group.until('the warning', () => b.warnings.join().includes(`pid ${foreign.pid}`));
      expect(group.lives(foreign.pid)).toBe(true);
      foreign.end();
      await group.reaches(b, 'serving');
    }));

  it('that holds workload.lock is named and not killed, and its end lets a node lead', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      a.kill('SIGTERM');
      await group.ends(a);
      const foreign = await holdLock(group, 'workload.lock');
      const b = await group.start('b');
      await group.until('the warning', () => b.warnings.join().includes(`pid ${foreign.pid}`));
      expect(group.lives(foreign.pid)).toBe(true);
      const before = group.starts;
      foreign.end();
      await group.reaches(b, 'serving');
      await group.active(before + 1);
    }));
});

describe('the wall clock', () => {
  it('that jumps by hours, forth and back, at every look changes nothing', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await group.active(1);
        await group.beats(12);
        await group.reaches(b, 'watching');
        expect([a.phase, b.phase, group.starts]).toStrictEqual(['serving', 'watching', 1]);
        a.kill('SIGSTOP');
        await group.reaches(b, 'serving');
        await group.active(2);
      },
      { env: shimmed({ SHIM_CLOCK: 'jumps' }) },
    ));

  it('is asked only where a person or another machine reads it', () => {
    const source = join(import.meta.dirname, '..', '..', 'src');
    const users = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => /Date\.now|new Date\(\)/.test(readFileSync(join(source, path), 'utf8')));
    expect(users.filter((path) => !(path in MAY_ASK))).toStrictEqual([]);
  });
});

/** Each with what it does with the answer. */
const MAY_ASK: Readonly<Record<string, string>> = {
  'cli/render/log.ts': 'shows it',
  'runtime/node-engine.ts': 'shows it',
  'runtime/narrator.ts': 'shows it',
  'lease/file/held-lease.ts': 'a value that changes: compared, never interpreted',
  'lease/file/node-registration.ts': 'tells other machines',
  'lease/file/node-registry.ts': 'compares with what other machines told',
  'lease/file/markers.ts': 'shows it',
  'lease/timed-file/event-log.ts': 'tells it to those who read events',
  'lease/timed-file/lease-view.ts': 'whether one who only looks looks twice; it decides nothing',
  'lease/timed-file/node-list.ts': 'shows it',
  'lease/peers/peer-sightings.ts': 'tells it to those who read events',
  'lease/etcd/event-text.ts': 'tells it to those who read events',
  'library/watcher.ts': 'shows it',
  'cli/client.ts': 'shows it',
  'cli/commands/drill.ts': 'shows it',
  'cli/commands/explain.ts': 'shows it',
  'cli/commands/events.ts': 'shows it',
  'cli/commands/events-follow.ts': 'shows in order what others say when it was',
  'library/election-options.ts': 'shows it',
  'library/statistics.ts': 'shows it',
  'journal/node-journal.ts': 'writes it down for readers',
  'cli/commands/status-watch.ts': 'shows it',
  'dashboard/group-section.ts': 'shows it',
  'dashboard/main.ts': 'shows it',
  'dashboard/stream.ts': 'shows it',
  'transport/group-bus.ts': 'tells it to those who read messages',
  'transport/stale-sockets.ts': 'leaves young files alone; nobody listens at those that it removes',
  'transport/checks.ts': 'shows it',
  'cli/doctor/checks/clocks.ts': 'looks whether it jumps, and says so',
  'cli/doctor/stores/store-facts.ts': 'compares two of them, and says so',
};
