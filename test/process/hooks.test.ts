// Promote and demote commands: what happens when they fail, hang, or lose their supervisor half way.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { handOver } from '../support/process-steps.ts';

describe('a promote command that does not succeed', () => {
  it.each([
    ['fails', 'exit 3', 'exit code 3'],
    ['is not found', 'no-such-hook-here', 'exit code 127'],
    ['hangs', 'exec sleep 60', 'timed out after 300ms'],
    [
      'hangs and ignores SIGTERM',
      'trap "" TERM; while :; do sleep 1; done',
      'timed out after 300ms',
    ],
    ['dies', 'kill -SEGV $$', 'SIGSEGV'],
  ])('%s: the lease is freed, the node tries again, and another can serve', (_how, hook, detail) =>
    inGroup(async (group) => {
      // Only what never ends gets so little time: on a busy machine all else may need more.
      const limit = detail.startsWith('timed out') ? { 'promote-timeout': '300ms' } : {};
      const options = { 'promote-command': hook, ...limit };
      const a = await group.start('a', { options });
      await group.until('two failed promotions', () => a.timesIn('unwinding') >= 2);
      expect(a.transitions.map(({ reason }) => reason).join('\n')).toContain(detail);
      const b = await group.start('b');
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      expect(a.end).toBeNull();
    }),
  );

  it('succeeds at last: the node serves', () =>
    inGroup(async (group) => {
      const hook = 'echo >> tries; [ "$(wc -l < tries)" -ge 3 ]';
      const a = await group.start('a', { options: { 'promote-command': hook } });
      await group.reaches(a, 'serving');
      expect(a.timesIn('unwinding')).toBe(2);
      // Those before may have ended before their first line.
      await group.until('the command of the third promotion', () =>
        group.lines.some(({ what, epoch }) => what === 'start' && epoch === 3),
      );
    }));

  it('on one node only: the takeover goes to the other', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const b = await group.start('b', { options: { 'promote-command': 'exit 1' } });
      await group.reaches(b, 'watching');
      const c = await group.start('c');
      await group.reaches(c, 'watching');
      await group.beats(12);
      // Both would see the loss at once, and who is first by 5 ms is first only on an idle machine.
      c.kill('SIGSTOP');
      a.kill('SIGKILL');
      // It is over in a moment, and comes again.
      await group.until('a failed promotion of b', () => b.timesIn('unwinding') > 0);
      c.kill('SIGCONT');
      await group.reaches(c, 'serving');
    }));
});

/** A hook that writes its node's name for as long as it lives, into one file of all nodes. */
const TALKING = (rounds: number): string =>
  `i=0; while [ $i -lt ${rounds} ]; do echo $FAILOVER_NODE >> hooks; i=$((i+1)); sleep 0.02; done`;

/** Whether every name in the file comes in one piece. */
function comesInOnePiece(text: string): boolean {
  const names = text.split('\n').filter((name) => name !== '');
  const changes = names.filter((name, i) => i > 0 && name !== names[i - 1]).length;
  return changes === new Set(names).size - 1;
}

describe('a supervisor that is killed', () => {
  it('inside its promote command: the command of its successor never runs beside it', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a');
        const b = await group.start('b');
        await group.until('the hook of a', () => group.text('hooks').includes('a\na\na\n'));
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
        expect(comesInOnePiece(group.text('hooks'))).toBe(true);
        expect(group.text('hooks')).toContain('b\n');
      },
      { options: { 'promote-command': TALKING(40) } },
    ));

  it('inside a promote command that has left helpers and closed the lock: those end too', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a');
        const b = await group.start('b');
        await group.until('the hook of a', () => group.text('hooks').includes('a\na\na\n'));
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
        expect(comesInOnePiece(group.text('hooks'))).toBe(true);
      },
      { options: { 'promote-command': `exec 3>&-; (trap "" TERM; ${TALKING(40)}) & wait` } },
    ));

  it('inside its demote command: that does not undo what its successor did', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        a.kill('SIGTERM');
        await group.until('the hook of a', () => group.text('hooks').includes('a\na\na\n'));
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
        await group.active(2);
        const before = group.text('hooks');
        await group.beats(5);
        expect(group.text('hooks')).toBe(before);
      },
      { options: { 'demote-command': TALKING(40) } },
    ));
});

describe('a demote command', () => {
  it('runs before the workload is stopped, and what it wrote is there before the next starts', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await handOver(group, a, b);
        expect(group.text('hooks')).toBe('a 1 start\n');
      },
      {
        options: {
          'demote-command':
            'echo "$FAILOVER_NODE $FAILOVER_EPOCH $(tail -n 1 witness.log | cut -d" " -f1)" >> hooks',
        },
      },
    ));

  it.each([
    ['fails', 'exit 1'],
    ['hangs', 'exec sleep 60'],
  ])('that %s does not keep the lease', (_how, hook) =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await handOver(group, a, b);
      },
      { options: { 'demote-command': hook, 'demote-timeout': '300ms' } },
    ),
  );
});

describe('a node without a command', () => {
  it('promotes and demotes by its hooks alone, one node at a time', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: null });
        await group.reaches(a, 'serving');
        const b = await group.start('b', { run: null });
        await group.reaches(b, 'watching');
        a.kill('SIGTERM');
        await group.reaches(b, 'serving');
        b.kill('SIGKILL');
        expect(group.text('hooks')).toBe('+a 1\n-a 1\n+b 2\n');
      },
      {
        options: {
          'promote-command': 'echo "+$FAILOVER_NODE $FAILOVER_EPOCH" >> hooks',
          'demote-command': 'echo "-$FAILOVER_NODE $FAILOVER_EPOCH" >> hooks',
        },
      },
    ));
});
