// A guard whose supervisor is gone, and sessions whose first process is: whom it ends, and when it gives the lease back.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { Sight } from '../../src/fence/own-sessions.ts';
import { ownIdentity } from '../../src/fence/process-identity.ts';
import { scanSessions } from '../../src/fence/session-members.ts';
import { readReport } from '../../src/guard/messages.ts';
import type { FromGuard, ReturnOrder, ToGuard } from '../../src/guard/messages.ts';
import type { SessionRecord } from '../../src/lease/lease-store.ts';
import { packageFile } from '../../src/package-file.ts';
import { BootClock } from '../../src/runtime/boot-clock.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { gateWords, openingText } from '../../src/workload/gate-script.ts';
import { signal } from '../support/process-list.ts';
import { until } from '../support/until.ts';

const MARK = { FAILOVER_GROUP: 'g', FAILOVER_STATE_DIR: '/nowhere', FAILOVER_NODE: 'a' };
const PRIMARY = { role: 'primary', epoch: '1', previous: '', reason: 'test' } as const;

const clock = new BootClock();
let server: Server;
let returned = 0;

beforeEach(async () => {
  returned = 0;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (bytes.toString().includes('GIVE')) returned += 1;
      socket.write('+OK\r\n:1\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

it('ends who says by his environment who has started him, and then gives the lease back', async () => {
  const guard = await guardOf(['true']);
  const left = await leaderlessSession(MARK);
  guard.name(left);
  await guard.supervisorEnds();
  expect([membersOf(left), returned]).toEqual([0, 1]);
});

it('ends who was seen by its supervisor, and then gives the lease back', async () => {
  const guard = await guardOf(['true']);
  const left = await leaderlessSession({});
  const members = (scanSessions(new Set([left.process.pid])).get(left.process.pid) ?? []).map(
    ({ pid, startTime }) => `${String(pid)}/${startTime}`,
  );
  guard.name(left, { atMs: 0, members });
  // The same order once more: what is known of it stays known.
  guard.name(left);
  await guard.supervisorEnds();
  expect([membersOf(left), returned]).toEqual([0, 1]);
});

it('ends who may be a stranger by no signal, and leaves the lease to its end for him', async () => {
  const guard = await guardOf(['true'], { termMs: 500 });
  const left = await leaderlessSession({});
  guard.name(left);
  await guard.supervisorEnds();
  expect([membersOf(left), returned]).toEqual([1, 0]);
});

it('gives the lease back once who may be a stranger has ended by himself', async () => {
  const guard = await guardOf(['sleep', '1000']);
  const left = await leaderlessSession({});
  guard.name(left);
  const ended = guard.supervisorEnds();
  await until('the end of what was its own', () =>
    guard.heard.some(({ type }) => type === 'ended'),
  );
  expect([membersOf(left), returned]).toEqual([1, 0]);
  endAll(left);
  await ended;
  expect(returned).toBe(1);
});

it('knows who is in its own session however long its first process is gone', async () => {
  // Later than any pid can come again, where there are few of them; and nothing is in an environment.
  const guard = await guardOf(['sh', '-c', 'sleep 0.8; env -i sleep 1000 & exit 0']);
  const pid = await until('its start', () => guard.ownPid());
  const own = recordOf({ ...ownIdentity(), pid, startTime: 'unknown' });
  const end = await until('its end', () => guard.heard.find((each) => each.type === 'ended'));
  expect(membersOf(own)).toBe(1);
  guard.name(own);
  await until('nothing to be fresh any more', () => monotonicNow() > end.at + 6_000);
  await guard.supervisorEnds();
  expect([membersOf(own), returned]).toEqual([0, 1]);
});

interface GuardUnderTest {
  readonly heard: readonly FromGuard[];
  ownPid(): number | undefined;
  /** As its supervisor names its sessions. */
  name(session: SessionRecord, sight?: Sight): void;
  /** Resolves when the guard has ended as well. */
  supervisorEnds(): Promise<void>;
}

/** In a term, with its process running. */
async function guardOf(
  command: readonly string[],
  { termMs = 60_000 }: { readonly termMs?: number } = {},
): Promise<GuardUnderTest> {
  const child: ChildProcess = spawn(process.execPath, [packageFile('dist/bundle/guard.js')], {
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit', 'ignore', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const heard: FromGuard[] = [];
  readReport(child.stdio[4] as Readable, (message) => heard.push(message as FromGuard));
  const tell = (message: ToGuard): void => {
    child.stdin?.write(`${JSON.stringify(message)}\n`);
  };
  const ownPid = (): number | undefined => heard.find((each) => each.type === 'spawned')?.pid;
  const starter = {
    group: 'g',
    stateDir: '/nowhere',
    node: 'a',
    since: ownIdentity().startTime,
  };
  const rules = { deathSignal: true, hasLock: false, lockFiles: [], starter };
  tell({ type: 'spawn', order: { command, environment: MARK, ...rules } });
  const name: GuardUnderTest['name'] = (record, sight) => {
    const sessions = [sight === undefined ? record : { ...record, sight }];
    const rest = { stopGraceMs: 0, demote: null, isSecond: false };
    tell({ type: 'term', return: returnOrder(), sessions, ...rest });
  };
  tell({ type: 'deadline', at: clock.now() + termMs, number: 1 });
  await until('its child', ownPid);
  tell({ type: 'open', text: openingText(PRIMARY, gateWords(command, MARK)), isActive: true });
  const supervisorEnds = async (): Promise<void> => {
    child.stdin?.end();
    await until('its end', () => child.exitCode !== null || child.signalCode !== null);
  };
  return { heard, ownPid, name, supervisorEnds };
}

function returnOrder(): ReturnOrder {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  const how = { tls: false, greeting: [['HELLO']], request: ['GIVE', 'back'], timeoutMs: 5_000 };
  return { kind: 'redis', host: '127.0.0.1', port: address.port, ...how };
}

/** Its number proves nothing, as where all numbers have gone round since. */
async function leaderlessSession(
  environment: Readonly<Record<string, string>>,
): Promise<SessionRecord> {
  const child = spawn('sh', ['-c', 'sleep 1000 & exit 0'], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
  const record = recordOf({ ...ownIdentity(), pid: child.pid ?? 0, startTime: 'unknown' });
  onTestFinished(() => {
    endAll(record);
  });
  await new Promise((resolve) => child.once('exit', resolve));
  expect(membersOf(record)).toBe(1);
  return record;
}

function recordOf(process: SessionRecord['process']): SessionRecord {
  return { process, kind: 'workload', active: true, keep: false, stopsWithSupervisor: false };
}

function membersOf({ process: { pid } }: SessionRecord): number {
  return scanSessions(new Set([pid])).get(pid)?.length ?? 0;
}

function endAll({ process: { pid } }: SessionRecord): void {
  for (const member of scanSessions(new Set([pid])).get(pid) ?? []) signal(member.pid, 'SIGKILL');
}
