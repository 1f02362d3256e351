// Nobody reads what is said any more: a pipe or a terminal is closed, or a log can't be written.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { ClientProcess } from '../support/process-node.ts';

const RUN = 'node "$LAUNCHER" run $ON_GROUP --node a -- "$W"';

describe('a terminal that is closed', () => {
  it.each(['', '2>log'])('ends its node in order, with its log on %j', (log) =>
    inGroup(async (group) => {
      const terminal = onTerminal(group, `exec ${RUN} ${log}`);
      await group.active(1);
      const b = await group.start('b');
      await group.reaches(b, 'watching');
      // What it announces is heard by whom its connection has reached.
      await group.beats(4);
      const a = supervisorOf(group);
      terminal.kill('SIGKILL');
      await group.reaches(b, 'serving');
      // It gave the lease back, and took its record along.
      expect(b.transitions.at(-1)?.reason).toContain('a stepped down');
      await group.until('the end of a', () => !group.lives(a));
      expect(group.records().map(({ node }) => node)).toEqual(['b']);
      // Nothing after that: Node itself may fail at its very end.
      if (log !== '') expect(group.text('log')).toMatch(/Exited with code 0\n$/);
    }),
  );

  it('does not end a node that is to outlive it', () =>
    inGroup(async (group) => {
      const terminal = onTerminal(group, `trap "" HUP; exec setsid -w ${RUN}`);
      const workload = await group.active(1);
      const a = supervisorOf(group);
      terminal.kill('SIGKILL');
      await group.until('the end of the terminal', () => terminal.end !== null);
      // It says that it starts its command again, and can't.
      group.signal(workload.pid, 'SIGKILL');
      await group.active(2);
      group.signal(a, 'SIGTERM');
      await group.until('the end of a', () => !group.lives(a));
      expect(group.records()).toEqual([]);
    }));
});

describe('a log that can not be written', () => {
  it('changes nothing for its node', () =>
    inGroup(async (group) => {
      const node = group.startShell(`exec ${RUN} 2>/dev/full`);
      group.signal((await group.active(1)).pid, 'SIGKILL');
      await group.active(2);
      node.kill('SIGTERM');
      expect((await node.done).code).toBe(0);
    }));
});

describe('an answer', () => {
  it('that can not be written is a failure, in one line', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { code, stderr } = await group.startShell(
        'node "$LAUNCHER" status $ON_GROUP >/dev/full',
      ).done;
      expect(stderr).toMatch(/^failover: Cannot write the output: .*ENOSPC.*\n$/);
      expect(code).toBe(1);
    }));

  it('of which only the beginning is read is none', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { stdout, stderr } = await group.startShell(
        'node "$LAUNCHER" status $ON_GROUP | head -1',
      ).done;
      expect(stdout.split('\n')).toHaveLength(2);
      expect(stderr).toBe('');
    }));
});

describe('the demo', () => {
  it.each(['| head -2', '| head -3', '>/dev/full'])('leaves nothing with its output %s', (output) =>
    inGroup(async (group) => {
      const { stderr } = await group.startShell(`TMPDIR="$PWD" node "$LAUNCHER" demo ${output}`)
        .done;
      expect(stderr.split('\n').length).toBeLessThanOrEqual(2);
      await group.until('the end of all it had started', () => group.marked().length === 0);
      expect(group.files(group.directory).filter((name) => name.includes('demo'))).toEqual([]);
    }),
  );
});

/** A terminal that is closed by the end of this process. */
function onTerminal(group: Group, command: string): ClientProcess {
  return group.startShell(`exec script -qec '${command}' /dev/null`);
}

function supervisorOf(group: Group): number {
  const record = group.records().find(({ node }) => node === 'a');
  if (record === undefined) throw new Error('a is not on record');
  return record.supervisor.pid;
}
