import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity, readStat } from '../../src/fence/process-identity.ts';
import type { ProcessStat } from '../../src/fence/process-identity.ts';
import { compareSession, listSessionMembers } from '../../src/fence/session-members.ts';
import { until } from '../support/until.ts';
import { Stage } from './stage.ts';

/** `set -m` gives each job a process group, as an interactive shell does. */
const HELPER_IN_ITS_OWN_GROUP = 'set -m; sleep 1000 & echo $!; echo ready; wait';

/** How often a certain pid is tried for. */
const ATTEMPTS = 50;

function writeNewestPid(pid: number): boolean {
  try {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid));
    return true;
  } catch {
    return false;
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

describe('listSessionMembers', () => {
  it('finds a helper that left the process group, and not the other sessions', async () => {
    const actor = await stage.startCommand(['bash', '-c', HELPER_IN_ITS_OWN_GROUP], {});
    await stage.start('echo ready; exec sleep 1000');
    await until('the helper is known', () => actor.lines.length === 1);
    const leader = actor.identity.pid;
    const helper = Number(actor.lines[0]);
    await until('it has a group of its own', () => readStat(helper)?.group === helper);
    const members = listSessionMembers(new Set([leader]));
    expect([...members.keys()]).toEqual([leader]);
    expect(members.get(leader)?.toSorted((a, b) => a - b)).toEqual([leader, helper]);
  });

  it('finds what a leader left behind when it ended', async () => {
    const actor = await stage.start('sleep 1000 & echo $!; echo ready; exit 0');
    await actor.end;
    await until('the helper is known', () => actor.lines.length === 1);
    const members = listSessionMembers(new Set([actor.identity.pid]));
    expect(members.get(actor.identity.pid)).toEqual([Number(actor.lines[0])]);
  });

  it('counts no zombie', async () => {
    const actor = await stage.start('sleep 1000 & echo $!; echo ready; exec sleep 1000');
    await until('the child is known', () => actor.lines.length === 1);
    const leader = actor.identity.pid;
    const child = Number(actor.lines[0]);
    await until('its parent collects no child', () => readStat(leader)?.name === 'sleep');
    process.kill(child, 'SIGKILL');
    await until('it is a zombie', () => readStat(child)?.state === 'Z');
    expect(listSessionMembers(new Set([leader])).get(leader)).toEqual([leader]);
  });

  it('finds one that was seen elsewhere and began a session of its own since', async () => {
    const script = 'while [ ! -e "$GO" ]; do sleep 0.01; done; exec setsid sleep 1000';
    const go = join(stage.stateDir, 'go');
    const actor = await stage.startCommand(
      ['bash', '-c', `(${script}) & echo $!; echo ready; wait`],
      { env: { GO: go } },
    );
    await until('the child is known', () => actor.lines.length === 1);
    const child = Number(actor.lines[0]);
    expect(readStat(child)?.session).toBe(actor.identity.pid);
    // Seen, and of no interest.
    listSessionMembers(new Set([process.pid]));
    writeFileSync(go, '');
    await until('it has its own session', () => readStat(child)?.session === child);
    expect(listSessionMembers(new Set([child])).get(child)).toEqual([child]);
    process.kill(child, 'SIGKILL');
  });

  it('finds one that was given the pid of a stranger (needs root)', async (context) => {
    const actor = await stage.startCommand(
      ['bash', '-c', 'echo ready; while read -r; do sleep 1000 & echo $!; done'],
      { stdin: 'pipe' },
    );
    const leader = actor.identity.pid;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const stranger = await stage.start('echo ready; exec sleep 1000');
      const { pid } = stranger.identity;
      expect(listSessionMembers(new Set([leader])).get(leader)).not.toContain(pid);
      stranger.child.kill('SIGKILL');
      await stranger.end;
      const before = actor.lines.length;
      // The next process gets the pid after this one, if nobody else on the machine is faster.
      if (!writeNewestPid(pid - 1)) {
        context.skip('only root may choose the next pid');
      }
      actor.child.stdin?.write('go\n');
      await until('it has a child', () => actor.lines.length > before);
      const born = Number(actor.lines.at(-1));
      const members = listSessionMembers(new Set([leader])).get(leader);
      expect(members).toContain(born);
      if (born === pid) return;
    }
    context.skip('this machine forks too often to be given a certain pid');
  });

  it('finds nothing when asked for nothing', () => {
    expect(listSessionMembers(new Set()).size).toBe(0);
  });
});

describe('compareSession', () => {
  const leader = { ...ownIdentity(), pid: 2 ** 30, startTime: '5000' };
  const member = (startTime: number): ProcessStat => ({
    pid: 2 ** 30 + 1,
    name: 'sh',
    state: 'S',
    parent: 1,
    group: 1,
    session: leader.pid,
    threads: 1,
    startTime: String(startTime),
  });

  it('it is the same while its leader is there', async () => {
    const { identity } = await stage.start('echo ready; exec sleep 1000');
    const stat = readStat(identity.pid);
    expect(compareSession(identity, stat === null ? [] : [stat])).toBe('same');
  });

  it('it is another when the leader has another start time', async () => {
    const { identity } = await stage.start('echo ready; exec sleep 1000');
    const stat = readStat(identity.pid);
    const earlier = { ...identity, startTime: String(Number(identity.startTime) - 1) };
    expect(compareSession(earlier, stat === null ? [] : [stat])).toBe('other');
  });

  it('without a leader, one that started right after it proves the session', () => {
    expect(compareSession(leader, [member(5001), member(9_000_000)])).toBe('same');
  });

  it('without a leader, a member older than it was shows another session', () => {
    expect(compareSession(leader, [member(4999), member(5001)])).toBe('other');
  });

  it('a leader that nobody could look at in time proves nothing', () => {
    expect(compareSession({ ...leader, startTime: 'unknown' }, [member(5001)])).toBe('unproved');
  });

  it('another boot or namespace has other numbers', () => {
    expect(compareSession({ ...leader, bootId: 'another' }, [member(5001)])).toBe('other');
    expect(compareSession({ ...leader, pidNamespace: '1' }, [member(5001)])).toBe('other');
  });
});
