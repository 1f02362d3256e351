// What a hot workload started: it ends with it, also where it only stood by, and in another session.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { inGroup } from '../support/process-group.ts';
import { markedProcesses, signal } from '../support/process-list.ts';
import type { MarkedProcess } from '../support/process-list.ts';

const HOT = { standby: 'hot', 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' };

describe('a hot standby whose workload has a helper in another session', () => {
  it.each<readonly [string, (lock: string) => void]>([
    ['the lock file is where it was', () => undefined],
    [
      'the lock file was replaced',
      (lock) => {
        writeFileSync(`${lock}.fresh`, '', { mode: 0o600 });
        renameSync(`${lock}.fresh`, lock);
      },
    ],
    [
      'the lock file was moved away',
      (lock) => {
        renameSync(lock, `${lock}.old`);
      },
    ],
  ])('leaves nothing when its node ends in order and %s', (_what, displace) =>
    inGroup(
      async (group) => {
        const run = 'trap "" USR1 USR2; setsid sleep 900 & trap - USR1 USR2; exec "$W" --hot';
        const [, b] = await group.startAll(['a', 'b'], { run });
        const hasLeft = ({ pid }: MarkedProcess): boolean => readStat(pid)?.session === pid;
        const helpers = (): MarkedProcess[] =>
          markedProcesses(group.mark).filter(({ command }) => command.startsWith('sleep'));
        await group.until('both helpers to leave their sessions', () => {
          return helpers().length === 2 && helpers().every(hasLeft);
        });
        // Before the node could look at it and make its process anew.
        b.kill('SIGSTOP');
        displace(join(group.groupDir, 'workload.lock'));
        b.kill('SIGTERM');
        b.kill('SIGCONT');
        await group.ends(b);
        await group.until('the end of its helper', () => helpers().length <= 1);
      },
      { options: HOT },
    ),
  );

  it.each([
    ['the primary looks after it', false],
    ['all end at once', true],
  ])('leaves nothing either when its node is killed, and %s', (_what, atOnce) =>
    inGroup(
      async (group) => {
        const run = 'trap "" USR1 USR2; setsid sleep 900 & trap - USR1 USR2; exec "$W" --hot';
        const [, b] = await group.startAll(['a', 'b'], { run });
        const helpers = (): MarkedProcess[] =>
          group.marked().filter(({ command }) => command.startsWith('sleep'));
        await group.until('both helpers', () => helpers().length === 2);
        b.kill('SIGKILL');
        await group.ends(b);
        // Else the end in order, which comes next, has to look after it.
        if (!atOnce) await group.until('the end of its helper', () => helpers().length === 1);
      },
      { options: HOT },
    ),
  );

  it.each([
    ['the primary looks after it', false],
    ['all end at once', true],
  ])('leaves no workload that ignores TERM when its node is killed, and %s', (_what, atOnce) =>
    inGroup(
      async (group) => {
        const [, b] = await group.startAll(['a', 'b'], { run: 'exec "$W" --hot --ignore-term' });
        const workloads = (): MarkedProcess[] =>
          group.marked().filter(({ command }) => command.includes('--hot'));
        await group.until('both workloads', () => workloads().length === 2);
        b.kill('SIGKILL');
        await group.ends(b);
        if (!atOnce) await group.until('the end of its workload', () => workloads().length === 1);
      },
      { options: { ...HOT, 'stop-grace': '500ms', 'fence-grace': '500ms' } },
    ),
  );

  it('leaves nothing when its node is killed and its record is removed at once', () =>
    inGroup(
      async (group) => {
        // Not ended by the signal that promotes, which can come before the second is in its session.
        const helpers = 'trap "" USR1 USR2; sleep 901 & setsid sleep 902 & trap - USR1 USR2';
        const run = `${helpers}; exec "$W" --hot --ignore-term`;
        const [, b] = await group.startAll(['a', 'b'], { run });
        const left = (): number =>
          group.marked().filter(({ command }) => /--hot|^sleep/.test(command)).length;
        await group.until('both workloads and their helpers', () => left() === 6);
        // The primary looks once a second.
        await group.beats(15);
        b.kill('SIGKILL');
        group.remove(join(group.groupDir, 'nodes'));
        await group.ends(b);
        await group.until('the end of all that it left', () => left() === 3);
      },
      { options: { ...HOT, 'stop-grace': '500ms', 'fence-grace': '500ms' } },
    ));

  it('starts no other before all that one left which ended by itself has ended', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: 'exec "$W" --hot' });
        await group.reaches(a, 'serving');
        // Each says whether it is the only one that holds its lock.
        writeFileSync(
          group.path('helper'),
          `flock -n -E 9 "$1" sh -c 'echo "$1 alone" >> said; exec sleep 900' sh "$1"
          [ $? -ne 9 ] || echo "$1 beside another" >> said`,
        );
        const run = `sh helper inside & setsid sh helper outside &
          echo >> runs; until [ $(wc -l < said) -ge $((2 * $(wc -l < runs))) ]; do sleep 0.02; done
          exit 1`;
        writeFileSync(group.path('said'), '');
        await group.start('b', { run });
        await group.until('a fourth run', () => group.text('runs').length >= 4);
        const said = group.text('said').trim().split('\n');
        expect(new Set(said)).toEqual(new Set(['inside alone', 'outside alone']));
      },
      { options: HOT },
    ));
});

describe('a hot primary whose hooks leave something in another session', () => {
  it('hands over once that has ended, and keeps what its workload started', () =>
    inGroup(
      async (group) => {
        const run = 'trap "" USR1 USR2; setsid sleep 904 & trap - USR1 USR2; exec "$W" --hot';
        const [, b] = await group.startAll(['a', 'b'], { run });
        const count = (command: string): number =>
          group.marked().filter((each) => each.command.trim() === command).length;
        await group.until(
          'all helpers',
          () => count('sleep 903') === 1 && count('sleep 904') === 2,
        );
        const { pid } = await group.active(1);
        expect((await group.client('promote', 'b')).code).toBe(0);
        await group.reaches(b, 'serving');
        expect([count('sleep 903'), count('sleep 904'), group.lives(pid)]).toEqual([1, 2, true]);
      },
      {
        options: {
          ...HOT,
          'promote-command': `left=left-$FAILOVER_EPOCH
            setsid sh -c 'echo > "$0"; exec sleep 903' "$left" &
            until [ -e "$left" ]; do sleep 0.02; done`,
          'demote-command': 'exit 0',
        },
      },
    ));
});

describe('a hot primary whose workload dies and leaves a helper in another session', () => {
  it('is followed by the standby, also when its demote command takes long and fails', () =>
    inGroup(
      async (group) => {
        const run = 'trap "" USR1 USR2; setsid sleep 900 & trap - USR1 USR2; exec "$W" --hot';
        const [a, b] = await group.startAll(['a', 'b'], { run });
        const { pid } = await group.active(1);
        // Until the primary knows of a standby it starts its workload again itself.
        await group.beats(12);
        signal(pid, 'SIGKILL');
        // Long enough for the session of the dead one to be found empty, and forgotten.
        await group.reaches(b, 'serving');
        await group.reaches(a, 'watching');
      },
      { options: { ...HOT, 'demote-command': 'sleep 1; exit 1' } },
    ));
});
