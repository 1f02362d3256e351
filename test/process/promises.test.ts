// What is promised, each with a test that fails when the promise is broken.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { signal } from '../support/process-list.ts';
import { shimmed } from '../support/process-shimmed.ts';
import { takeOver } from '../support/process-steps.ts';
import { holdLock, startStranger } from '../support/process-strangers.ts';

describe('S1: at most one workload of a group is active at any instant', () => {
  // It ignores the order to end and has closed the lock: only the recorded session still shows it.
  const hidden = 'exec 3>&-; "$W" --ignore-term & wait';

  it('S1: a takeover waits until what a killed supervisor left is gone, though the lock is free', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b'], { run: hidden });
        await group.active(1);
        await takeOver(group, a, b);
        group.judge();
      },
      { options: { standby: 'armed' } },
    ));

  it('S1: a restart in place waits until what the last run left is gone', () =>
    inGroup(
      async (group) => {
        const run = 'exec 3>&-; "$W" --ignore-term & sleep 0.1; exit 1';
        await group.startAll(['a'], { run });
        await group.active(3);
        group.judge();
      },
      { options: { 'restart-limit': '1000', 'fence-grace': '100ms' } },
    ));

  it('S1: a start waits for a workload that holds the lock outside of every recorded session', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run: 'setsid "$W" --ignore-term & wait' });
      await group.active(1);
      await takeOver(group, a, b);
      group.judge();
    }));

  it('S1: a stopped primary has lost before another starts, and nothing of it goes on', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run: 'exec "$W" --ignore-term' });
      const { pid } = await group.active(1);
      a.kill('SIGSTOP');
      await group.reaches(b, 'serving');
      await group.active(2);
      a.kill('SIGCONT');
      expect(await group.ends(a)).toBe('SIGKILL');
      expect(group.lives(pid)).toBe(false);
      group.judge();
    }));
});

describe('S2: epochs strictly increase', () => {
  it('S2: over takeover, restart in place, failed promotion, an end of all, and a lost directory', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      a.kill('SIGKILL');
      signal((await group.active(2)).pid, 'SIGKILL');
      await group.active(3);
      await group.reaches(b, 'serving', 2);

      const c = await group.start('c', { options: { 'promote-command': 'exit 1' } });
      await group.reaches(c, 'watching');
      b.kill('SIGTERM');
      await group.ends(b);
      await group.until('two failed promotions', () => c.timesIn('unwinding') >= 2);
      c.kill('SIGTERM');
      await group.ends(c);

      const before = group.starts;
      const [d, e] = await group.startAll(['d', 'e']);
      await group.active(before + 1);
      group.removeOnce(group.groupDir);
      await group.active(before + 2);
      await group.primaryOf([d, e]);

      const epochs = group.lines.filter(({ what }) => what === 'start').map(({ epoch }) => epoch);
      expect(epochs.every((epoch, i) => i === 0 || epoch > (epochs[i - 1] ?? 0))).toBe(true);
      expect(epochs.length).toBe(before + 2);
    }));

  it('S2: known to the directory alone: nobody who lives has ever heard of the last epoch', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      signal((await group.active(1)).pid, 'SIGKILL');
      await group.active(2);
      a.kill('SIGKILL');
      await group.ends(a);
      await group.startAll(['b']);
      expect((await group.active(3)).epoch).toBe(3);
    }));

  it('S2: known to the node alone: the directory has lost every epoch when it claims', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      signal((await group.active(1)).pid, 'SIGKILL');
      await group.reaches(a, 'serving', 2);
      const epochs = join(group.groupDir, 'epochs');
      // The last step before the claim: whatever looked into the directory has done so.
      const env = shimmed({
        SHIM_AT: `openSync ${group.groupDir}/marks/completed after ${epochs}`,
      });
      const b = await group.start('b', { env });
      await group.reaches(b, 'watching');
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      expect((await group.active(3)).epoch).toBe(3);
      expect(group.files(epochs)).toStrictEqual(['3']);
    }));
});

describe('S2: at the very moment of a claim', () => {
  it('S2: a higher number that has just come to the directory is not claimed below', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const epochs = join(group.groupDir, 'epochs');
      const env = shimmed({
        SHIM_AT: `openSync ${group.groupDir}/marks/completed after ${epochs}/50`,
      });
      const b = await group.start('b', { env });
      await group.reaches(b, 'watching');
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      expect((await group.active(2)).epoch).toBe(51);
      // Not even tried: a claim below would have left its number.
      expect([...group.files(epochs)].sort()).toStrictEqual(['1', '50', '51']);
    }));
});

describe('S4: with one willing secondary there is a primary again', () => {
  it('S4: after each way of losing the primary, and after promotions that failed', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const hook = 'echo >> tries; [ "$(wc -l < tries)" -ge 4 ]';
      const b = await group.start('b', { options: { 'promote-command': hook } });
      await group.reaches(b, 'watching');
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      expect(b.timesIn('unwinding')).toBe(3);

      const c = await group.start('c');
      await group.reaches(c, 'watching');
      b.kill('SIGSTOP');
      await group.reaches(c, 'serving');

      const d = await group.start('d');
      await group.reaches(d, 'watching');
      c.kill('SIGTERM');
      await group.reaches(d, 'serving');
    }));

  it('S4: after a silence that came to nothing, the watching goes on', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        a.kill('SIGSTOP');
        await group.until('some verdicts', () => b.timesIn('waiting') >= 2);
        a.kill('SIGCONT');
        await group.reaches(b, 'watching', 2);
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
      },
      { options: { fence: 'none' } },
    ));
});

describe('S4: a primary that hangs, with a workload that ignores SIGTERM', () => {
  it('S4: is asked, found dead, fenced and emptied, in this order, and then one is active', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c'], { run: 'exec "$W" --ignore-term' });
      const first = await group.active(1);
      await group.beats(12);
      a.kill('SIGSTOP');
      const second = await group.active(2);
      expect(group.lives(first.pid)).toBe(false);
      expect(await group.ends(a)).toBe('SIGKILL');
      await group.primaryOf([b, c]);
      const steps = [b, c]
        .flatMap(({ transitions }) => transitions)
        .sort((x, y) => (x.time ?? '').localeCompare(y.time ?? ''))
        .map(({ to }) => to);
      const order = ['suspecting', 'fencing', 'clearing', 'serving'].map((to) => steps.indexOf(to));
      expect(order.every((place, i) => place > (order[i - 1] ?? -1))).toBe(true);
      // It was told in order first, then killed; only then the next one began.
      const words = group.lines.map(({ what, pid }) => `${what} ${pid}`);
      expect([...new Set(words)]).toStrictEqual([
        `start ${first.pid}`,
        `ignored ${first.pid}`,
        `start ${second.pid}`,
      ]);
      await group.beats(12);
      expect([group.starts, second.epoch]).toStrictEqual([2, 2]);
      group.judge();
    }));
});

describe('S5: a failed promotion leaves a free lease and a working secondary', () => {
  it.each([
    ['fails', 'exit 1'],
    ['hangs', 'exec sleep 60'],
  ])('S5: a promote command that %s', (_how, hook) =>
    inGroup(async (group) => {
      const options = {
        'promote-command': hook,
        'promote-timeout': '200ms',
        'retry-backoff': '1m..1m',
      };
      const a = await group.start('a', { options });
      await group.until('the failed promotion', () => a.phase === 'waiting');
      expect(a.timesIn('serving')).toBe(0);
      const { stdout } = await group.client('status', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ primary: null });
      // Free at once, far within the backoff of the one that failed.
      const b = await group.start('b');
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      await group.until('its workload', () => group.lines.at(-1)?.what === 'start');
    }),
  );
});

describe('S6: nothing is orphaned and nothing of others is killed', () => {
  it('S6: an end in order leaves no process, also none that left its session', () =>
    inGroup(async (group) => {
      const run = '(setsid "$W" &); exec sleep 1000';
      const [a] = await group.startAll(['a'], { run });
      const { pid } = await group.active(1);
      a.kill('SIGTERM');
      expect(await group.ends(a)).toBe(0);
      expect(group.lives(pid)).toBe(false);
    }));

  it('S6: a killed supervisor leaves no process once a successor has taken over', () =>
    inGroup(async (group) => {
      const run =
        '"$W" & (trap "" TERM; sleep 1000) & (exec 3>&-; trap "" TERM; sleep 1000) & wait';
      const [a, b] = await group.startAll(['a', 'b'], { run });
      await group.active(1);
      // The witness may say that it has started before the shell has forked the rest.
      const left = await group.until('its helpers', () => {
        const members = group.sessionOf('a');
        return members.length > 3 && members;
      });
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      expect(left.filter((pid) => group.lives(pid))).toStrictEqual([]);
    }));

  it('S6: a stranger that has the recorded pid of a workload by now is not signalled', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const { pid } = await group.active(1);
      a.kill('SIGKILL');
      await group.until('the end of its workload', () => !group.lives(pid));
      const stranger = await startStranger(group);
      const [record] = group.records();
      for (const process of [
        record?.supervisor,
        ...(record?.sessions ?? []).map((s) => s.process),
      ]) {
        if (process !== undefined) process.pid = stranger.pid;
      }
      expect(record?.sessions).toHaveLength(1);
      writeFileSync(
        join(group.groupDir, 'nodes', `${record?.run ?? ''}.json`),
        JSON.stringify(record),
      );
      await group.startAll(['b']);
      await group.active(2);
      // Of the signals that wait, a shell takes the lower number first: TERM would be told by now.
      signal(stranger.pid, 'SIGWINCH');
      await group.until('its word', () => group.text('stranger').includes('asked'));
      expect(group.text('stranger')).toBe('ready\nasked\n');
      expect(group.lives(stranger.pid)).toBe(true);
      signal(stranger.pid, 'SIGKILL');
    }));

  it.each(['primary.lock', 'workload.lock'])(
    'S6: a foreign program that holds %s is spared',
    (name) =>
      inGroup(async (group) => {
        const [a] = await group.startAll(['a']);
        a.kill('SIGTERM');
        await group.ends(a);
        const foreign = await holdLock(group, name);
        const before = group.starts;
        const b = await group.start('b');
        await group.until('the warning', () => b.warnings.join().includes(`pid ${foreign.pid}`));
        expect([group.lives(foreign.pid), group.starts]).toStrictEqual([true, before]);
        foreign.end();
        await group.reaches(b, 'serving');
      }),
  );
});
