// The guard as a process: what it ends, when, and when it gives the lease back.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isAlive, readStat } from '../../src/fence/process-identity.ts';
import { scanSessions } from '../../src/fence/session-members.ts';
import { GuardKeeper } from '../../src/guard/keeper.ts';
import type { ReturnOrder } from '../../src/guard/messages.ts';
import type { ProcessIdentity, SessionRecord } from '../../src/lease/lease-store.ts';
import { BootClock } from '../../src/runtime/boot-clock.ts';
import type { GatedProcess, GateRequest } from '../../src/workload/gate.ts';
import { allPids } from '../support/process-list.ts';
import { bringToStandstill } from '../support/standstill.ts';
import { until } from '../support/until.ts';

const PRIMARY = { role: 'primary', epoch: '1', previous: '', reason: 'test' } as const;
const SECONDARY = { ...PRIMARY, role: 'secondary', epoch: '' } as const;

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
/** As far as it is known before the command is. */
const NOTHING_YET = { lockFd: null, output: 'inherit' } as const;

const clock = new BootClock();
let lost: string[] = [];
let server: Server;
let returned = 0;
/** How many requests the server does not answer. */
let refusals = 0;
/** Whether it keeps the next one waiting, and that one. */
let isHolding = false;
let held: Socket | null = null;
let keeper: GuardKeeper;
const started: GatedProcess[] = [];

beforeEach(async () => {
  returned = 0;
  refusals = 0;
  isHolding = false;
  held = null;
  lost = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (isHolding) {
        isHolding = false;
        held = socket;
        return;
      }
      if (refusals > 0) {
        refusals -= 1;
        socket.destroy();
        return;
      }
      if (bytes.toString().includes('GIVE')) returned += 1;
      socket.write('+OK\r\n:1\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  keeper = keeperOf({ stopGraceMs: 300 });
});

afterEach(async () => {
  for (const { identity } of started.splice(0)) {
    // A guard without its process ends with this one's pipe.
    const guard = isAlive(identity) ? guardOf(identity.pid) : null;
    if (guard !== null && guard > 1) kill(guard);
  }
  await new Promise((resolve) => server.close(resolve));
});

describe('a guard', () => {
  it('ends what runs at the deadline, and gives the lease back when it is gone', async () => {
    keeper.extend(clock.now() + 60_000);
    const gated = await start(['sh', '-c', 'trap "" TERM; sleep 1000 & wait']);
    gated.open(PRIMARY);
    await until('its child', () => membersOf(gated) === 2);
    keeper.extend(clock.now() + 50);
    await until('the return of the lease', () => returned === 1);
    expect(membersOf(gated)).toBe(0);
    const end = await until('word of its end', () => gated.end());
    expect(end).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  it.runIf(hasPrlimit)(
    'ends its child at the deadline also where it can open nothing',
    async () => {
      const gated = await running(['sh', '-c', 'sleep 1000 & wait']);
      await until('its child', () => membersOf(gated) === 2);
      const guard = String(guardOf(gated.identity.pid));
      spawnSync('prlimit', ['--pid', guard, '--nofile=3:']);
      keeper.extend(clock.now() + 50);
      await until('the end of all', () => membersOf(gated) === 0);
      expect(returned).toBe(0);
      spawnSync('prlimit', ['--pid', guard, '--nofile=64:']);
      await until('the return of the lease', () => returned === 1);
    },
  );

  it('gives the lease back to a server that did not answer at first', async () => {
    refusals = 2;
    const gated = await running(['sleep', '1000']);
    keeper.extend(clock.now() + 50);
    await until('the return of the lease', () => returned === 1);
    expect([refusals, isAlive(gated.identity)]).toEqual([0, false]);
  });

  it('gives back nothing of a term that goes on all the same', async () => {
    isHolding = true;
    const gated = await running(['sleep', '1000']);
    keeper.extend(clock.now() + 50);
    const attempt = await until('the first attempt', () => held);
    keeper.extend(clock.now() + 60_000);
    // Refused once the guard has been told of it: else it could come to its next attempt before.
    setImmediate(() => attempt.destroy());
    const heard = clock.now();
    await until('the time for another', () => clock.now() > heard + 500);
    expect([returned, isAlive(gated.identity)]).toEqual([0, false]);
  });

  it('lets nothing run after the deadline', async () => {
    keeper.extend(clock.now() - 1);
    const gated = await start(['sh', '-c', 'exit 7']);
    gated.open(PRIMARY);
    await until('its end', () => gated.end() !== null);
    expect(gated.end()?.exitCode).not.toBe(7);
  });

  it('lets no demote command run after the deadline, beside what is primary by then', async () => {
    keeper.extend(clock.now() - 1);
    const gated = await start(['sh', '-c', 'exit 7']);
    gated.open({ ...SECONDARY, epoch: '1' });
    await until('its end', () => gated.end() !== null);
    expect(gated.end()?.exitCode).not.toBe(7);
  });

  it('lets nothing lead without a deadline, and what stands by run without one', async () => {
    const primary = await start(['sh', '-c', 'exit 7']);
    primary.open(PRIMARY);
    await until('its end', () => primary.end() !== null);
    expect(primary.end()?.exitCode).not.toBe(7);
    const secondary = await start(['sh', '-c', 'exit 7']);
    secondary.open(SECONDARY);
    await until('its end', () => secondary.end() !== null);
    expect(secondary.end()?.exitCode).toBe(7);
  });

  it('goes on beyond a deadline that was put off', async () => {
    const gated = await running(['sleep', '1000']);
    const first = clock.now() + 300;
    keeper.extend(first);
    keeper.extend(clock.now() + 60_000);
    await until('the first deadline', () => clock.now() > first + 100);
    expect(isAlive(gated.identity)).toBe(true);
    expect(returned).toBe(0);
  });

  it('leaves what runs alone when there is no term any more', async () => {
    const gated = await running(['sleep', '1000']);
    const deadline = clock.now() + 300;
    keeper.extend(deadline);
    keeper.rest();
    await until('the former deadline', () => clock.now() > deadline + 100);
    expect(isAlive(gated.identity)).toBe(true);
  });

  it('heeds no signal but SIGKILL, and what it has started ends with it', async () => {
    const gated = await running(['sleep', '1000']);
    const guard = guardOf(gated.identity.pid) ?? -1;
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(guard, name);
    // It has read this after the signals.
    keeper.extend(clock.now() + 60_000);
    expect(readStat(guard)?.state).not.toBe('Z');
    process.kill(guard, 'SIGKILL');
    await until('the end of its child', () => !isAlive(gated.identity));
    await until('the word of it', () => lost.length > 0);
    expect(lost).toEqual(['the guard of the workload is gone']);
    expect(gated.end()).not.toBeNull();
  });

  it('that is killed is said to be gone before its child is: nothing is started again in its place', async () => {
    const gated = await running(['sleep', '1000']);
    const lostBefore = new Promise<number>((resolve) => {
      gated.onEnd(() => {
        resolve(lost.length);
      });
    });
    process.kill(guardOf(gated.identity.pid) ?? -1, 'SIGKILL');
    expect(await lostBefore).toBe(1);
  });

  it('that is killed takes with it all that its child has started in the session', async () => {
    const gated = await running(['sh', '-c', FORKING]);
    await until('its children', () => membersOf(gated) === 3);
    process.kill(guardOf(gated.identity.pid) ?? -1, 'SIGKILL');
    await until('the end of them', () => membersOf(gated) === 0);
  });

  it('of a hook that is through ends with its session, where another watches over the rest', async () => {
    const workload = await running(['sleep', '1000']);
    const hook = await start(['true']);
    const guard = guardOf(hook.identity.pid) ?? -1;
    hook.open(PRIMARY);
    await until('its end', () => hook.end());
    keeper.setSessions([recordOf(workload.identity)]);
    await until('the end of its guard', () => readStat(guard) === null);
    expect([lost, isAlive(workload.identity)]).toEqual([[], true]);
  });

  it('whose process has left something on record goes on beside the next, and ends once that is off it', async () => {
    keeper.extend(clock.now() + 60_000);
    const first = await start(['sh', '-c', 'env -i sleep 1000 & exit 0']);
    const guard = guardOf(first.identity.pid) ?? -1;
    keeper.setSessions([recordOf(first.identity)]);
    first.open(PRIMARY);
    onTestFinished(() => {
      process.kill(-first.identity.pid, 'SIGKILL');
    });
    await until('its end', () => first.end());
    const next = await start(['sleep', '1000']);
    keeper.setSessions([recordOf(first.identity), recordOf(next.identity)]);
    // Longer than a guard takes to end that was dismissed.
    const gone = await start(['true']);
    const dismissed = guardOf(gone.identity.pid) ?? -1;
    gone.close();
    await until('an end', () => gone.end());
    keeper.setSessions([recordOf(first.identity), recordOf(next.identity)]);
    await until('the end of its guard', () => readStat(dismissed) === null);
    expect([readStat(guard)?.state ?? 'Z', membersOf(first)]).toEqual([
      expect.not.stringMatching('Z') as unknown,
      1,
    ]);
    keeper.setSessions([recordOf(next.identity)]);
    await until('the end of the guard', () => readStat(guard) === null);
  });

  it('has another backstop when its own was ended', async () => {
    const gated = await running(['sh', '-c', FORKING]);
    await until('its children', () => membersOf(gated) === 3);
    const guard = guardOf(gated.identity.pid) ?? -1;
    const [first = -1] = await until('a backstop', () => backstopsOf(guard));
    process.kill(first, 'SIGKILL');
    const another = await until('another', () => backstopsOf(guard)?.find((pid) => pid !== first));
    // From its first moment: its guard may be gone before it could tell anything.
    expect(commandOf(another)).toContain(
      `${String(gated.identity.pid)}/${gated.identity.startTime}`,
    );
    process.kill(guard, 'SIGKILL');
    await until('the end of all', () => membersOf(gated) === 0);
  });

  it('that is killed at once with its backstop takes its child with it', async () => {
    const gated = await running(['sleep', '1000']);
    const guard = guardOf(gated.identity.pid) ?? -1;
    const [backstop = -1] = await until('a backstop', () => backstopsOf(guard));
    // Neither sees the other's end before its own.
    for (const pid of [guard, backstop]) bringToStandstill(pid);
    for (const pid of [backstop, guard]) process.kill(pid, 'SIGKILL');
    await until('the end of its child', () => !isAlive(gated.identity));
  });

  it('that is killed leaves alone what it watches over no more', async () => {
    const gated = await running(['sh', '-c', FORKING]);
    await until('its children', () => membersOf(gated) === 3);
    const ended = await start(['true']);
    const guard = guardOf(ended.identity.pid) ?? -1;
    const [backstop = -1] = await until('a backstop', () => backstopsOf(guard));
    keeper.setSessions([recordOf(gated.identity), recordOf(ended.identity)]);
    keeper.setSessions([]);
    // It has read this after the sessions.
    ended.close();
    await until('the end of its child', () => ended.end() !== null);
    process.kill(guard, 'SIGKILL');
    await until('the end of its backstop', () => (readStat(backstop)?.state ?? 'Z') === 'Z');
    expect(membersOf(gated)).toBe(3);
  });

  it('that stands still is noticed at the next but one deadline', async () => {
    keeper.extend(clock.now() + 60_000);
    const gated = await start(['sleep', '1000']);
    const guard = guardOf(gated.identity.pid) ?? -1;
    process.kill(guard, 'SIGSTOP');
    keeper.extend(clock.now() + 60_000);
    await until('the word of it', () => {
      keeper.extend(clock.now() + 60_000);
      return lost.length > 0;
    });
    expect(lost[0]).toBe('the guard of the workload does not answer');
    process.kill(guard, 'SIGCONT');
  });

  it('ends by itself once its process has ended and is no longer watched', async () => {
    const gated = await start(['true']);
    const guard = guardOf(gated.identity.pid) ?? -1;
    gated.close();
    await until('its end', () => gated.end() !== null);
    keeper.rest();
    await until('the end of the guard', () => (readStat(guard)?.state ?? 'Z') === 'Z');
    expect(lost).toEqual([]);
  });

  it('keeps no process from ending that has closed it, whatever its child does', async () => {
    const gated = await running(['sh', '-c', 'trap "" TERM; sleep 1000 & wait']);
    const guard = guardOf(gated.identity.pid) ?? -1;
    keeper.close();
    await until('the end of the guard', () => (readStat(guard)?.state ?? 'Z') === 'Z');
    expect(membersOf(gated)).toBe(0);
    expect([lost, returned]).toEqual([[], 0]);
  });

  it('ends what has left its session with the lock before it gives the lease back', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'failover-guard-'));
    const lock = join(directory, 'workload.lock');
    const lockFd = openSync(lock, 'w+');
    try {
      keeper.extend(clock.now() + 60_000);
      const command = ['sh', '-c', 'setsid -f sleep 1000; exec sleep 1000'];
      const gated = await keeper.spawn({ ...requestOf(command, OF_NODE_A), lockFd });
      gated.open(PRIMARY);
      const { pid } = gated.identity;
      const helper = await until('what has left', () =>
        allPids().find((each) => sessionOf(each) !== pid && isSleepWith(each, lock)),
      );
      keeper.extend(clock.now() + 50);
      await until('the return of the lease', () => returned === 1);
      expect(readStat(helper)?.state ?? 'Z').toBe('Z');
    } finally {
      closeSync(lockFd);
      rmSync(directory, { recursive: true });
    }
  });

  it('of a command that has no lock ends what has left with one before, as long as that holds it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'failover-guard-'));
    const lock = join(directory, 'workload.lock');
    const lockFd = openSync(lock, 'w+');
    try {
      keeper.extend(clock.now() + 60_000);
      const command = ['sh', '-c', 'setsid -f sleep 1000'];
      const workload = await keeper.spawn({ ...requestOf(command, OF_NODE_A), lockFd });
      workload.open(PRIMARY);
      await until('its end', () => workload.end() !== null);
      const { pid } = workload.identity;
      const helper = await until('what has left', () =>
        allPids().find((each) => sessionOf(each) !== pid && isSleepWith(each, lock)),
      );
      // A demote command, say, after the workload has ended.
      const hook = await start(['sleep', '1000']);
      hook.open(SECONDARY);
      keeper.extend(clock.now() + 50);
      await until('the return of the lease', () => returned === 1);
      expect(readStat(helper)?.state ?? 'Z').toBe('Z');
    } finally {
      closeSync(lockFd);
      rmSync(directory, { recursive: true });
    }
  });

  it('that stands still before it has started anything is given up', async () => {
    keeper = keeperOf({ stopGraceMs: 0, startLimitMs: 100 });
    const before = new Set(ownChildren());
    const starting = start(['true']);
    const [guard = -1] = ownChildren().filter((pid) => !before.has(pid));
    process.kill(guard, 'SIGSTOP');
    await expect(starting).rejects.toThrow('the guard does not answer');
    await until('its end', () => (readStat(guard)?.state ?? 'Z') === 'Z');
  });

  it('that was started ahead starts what it is told, once, and watches over it', async () => {
    const before = new Set(ownChildren());
    let gone = 0;
    const ahead = keeper.startAhead(NOTHING_YET, () => (gone += 1));
    const [guard] = ownChildren().filter((pid) => !before.has(pid));
    keeper.extend(clock.now() + 60_000);
    const gated = await ahead.spawn(requestOf(['sleep', '1000']));
    started.push(gated);
    expect(guardOf(gated.identity.pid)).toBe(guard);
    gated.open(PRIMARY);
    await until('its command', () => readStat(gated.identity.pid)?.name === 'sleep');
    ahead.dismiss();
    // By the time that another has started this one would have ended.
    await start(['true']);
    expect(isAlive(gated.identity)).toBe(true);
    keeper.extend(clock.now() + 50);
    await until('its end', () => !isAlive(gated.identity));
    expect(gone).toBe(0);
  });

  it('that was started ahead ends when it is not needed, or with what has started it', async () => {
    const before = new Set(ownChildren());
    let gone = 0;
    const ahead = keeper.startAhead(NOTHING_YET, () => (gone += 1));
    keeper.startAhead(NOTHING_YET, () => (gone += 1));
    const guards = ownChildren().filter((pid) => !before.has(pid));
    ahead.dismiss();
    expect(gone).toBe(1);
    keeper.close();
    // What it was started with is closed.
    expect(gone).toBe(2);
    await until('the end of both', () =>
      guards.every((pid) => (readStat(pid)?.state ?? 'Z') === 'Z'),
    );
    expect([guards.length, lost]).toEqual([2, []]);
  });

  it('that was started ahead and was killed is no loss', async () => {
    const before = new Set(ownChildren());
    keeper.extend(clock.now() + 60_000);
    let gone = 0;
    const ahead = keeper.startAhead(NOTHING_YET, () => (gone += 1));
    const [guard = -1] = ownChildren().filter((pid) => !before.has(pid));
    process.kill(guard, 'SIGKILL');
    await until('the word of it', () => gone === 1);
    expect(lost).toEqual([]);
    await expect(ahead.spawn(requestOf(['true']))).rejects.toThrow('the guard has exited');
  });

  it('tells of a command that the system refuses', async () => {
    await expect(start(['true'], { BIG: 'x'.repeat(200_000) })).rejects.toMatchObject({
      code: 'FAILOVER_COMMAND_NOT_EXECUTABLE',
    });
  });
});

function keeperOf({
  stopGraceMs,
  startLimitMs = 60_000,
}: {
  readonly stopGraceMs: number;
  readonly startLimitMs?: number;
}): GuardKeeper {
  // A guard of an earlier test tells nothing here.
  const own = lost;
  const ledger = { setSessions: () => undefined };
  return new GuardKeeper({
    ledger,
    starter: { group: 'g', stateDir: '/nowhere', node: 'a' },
    stopGraceMs,
    demotion: { timeoutMs: 5_000, spareMs: 500, lockFile: '/nowhere/workload.lock' },
    patienceMs: 1_000,
    startLimitMs,
    deathSignal: true,
    now: () => clock.now(),
    returnOrder,
    onLost: (cause) => own.push(cause),
  });
}

function returnOrder(): ReturnOrder {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  const how = { tls: false, greeting: [['HELLO']], request: ['GIVE', 'back'], timeoutMs: 5_000 };
  return { kind: 'redis', host: '127.0.0.1', port: address.port, ...how };
}

async function start(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<GatedProcess> {
  const gated = await keeper.spawn(requestOf(command, environment));
  started.push(gated);
  return gated;
}

function requestOf(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): GateRequest {
  return { command, environment, deathSignal: null, ...NOTHING_YET };
}

/** Of two that it has started. */
const FORKING = 'sleep 1000 & sleep 1000 & wait';

/** What tells whose a process is that has left its session. */
const OF_NODE_A = { FAILOVER_GROUP: 'g', FAILOVER_STATE_DIR: '/nowhere', FAILOVER_NODE: 'a' };

function sessionOf(pid: number): number {
  return readStat(pid)?.session ?? 0;
}

function isSleepWith(pid: number, lock: string): boolean {
  try {
    return readStat(pid)?.name === 'sleep' && readlinkSync(`/proc/${String(pid)}/fd/3`) === lock;
  } catch {
    return false;
  }
}

function recordOf(process: ProcessIdentity): SessionRecord {
  return { process, kind: 'workload', active: true, keep: false, stopsWithSupervisor: false };
}

/** Null: there is none. */
function backstopsOf(guard: number): readonly number[] | null {
  const found = allPids().filter(
    (pid) => readStat(pid)?.parent === guard && commandOf(pid).includes('failover-backstop'),
  );
  return found.length === 0 ? null : found;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Of its session. */
function membersOf({ identity: { pid } }: GatedProcess): number {
  return scanSessions(new Set([pid])).get(pid)?.length ?? 0;
}

/** Its gate was opened, and it has become the command. */
async function running(command: readonly string[]): Promise<GatedProcess> {
  keeper.extend(clock.now() + 60_000);
  const gated = await start(command);
  gated.open(PRIMARY);
  await until('its command', () => readStat(gated.identity.pid)?.name === command[0]);
  return gated;
}

function ownChildren(): readonly number[] {
  return allPids().filter((pid) => readStat(pid)?.parent === process.pid);
}

function guardOf(pid: number): number | null {
  return readStat(pid)?.parent ?? null;
}
