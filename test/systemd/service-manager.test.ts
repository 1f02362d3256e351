// What a service manager is told arrives, also where it does not read for a while, or is not there yet.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServiceManager } from '../../src/systemd/service-manager.ts';
import { lackOfProgram } from '../support/programs.ts';

/** Reads as many datagrams as a line of its stdin says, once it says so: until then they are held up. */
const RECEIVER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(json.dumps('bound'), flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        print(json.dumps(s.recv(4096).decode()), flush=True)
`;

let directory = '';
let receivers: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fo-notify-'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
  for (const receiver of receivers) receiver.kill('SIGKILL');
  receivers = [];
  rmSync(directory, { recursive: true, force: true });
});

it('is told once it is there, with what is true by then: first the start, then the end', async ({
  skip,
}) => {
  const lack = lackOfProgram('python3');
  if (lack !== null) skip(lack);
  const path = join(directory, 'notify');
  const problems: string[] = [];
  const manager = new ServiceManager(path, (why) => problems.push(why));
  expect(await manager.tell({ READY: '1', STATUS: 'secondary' })).toBe(false);
  expect(await manager.tell({ WATCHDOG: '1' })).toBe(false);
  expect(await manager.tell({ STOPPING: '1', STATUS: 'stopped' })).toBe(false);
  expect(problems).toHaveLength(1);
  const receiver = await receive(path);
  vi.advanceTimersByTime(1_000);
  expect(await receiver.take(2)).toEqual(['READY=1\nSTATUS=stopped', 'STOPPING=1']);
});

it('hears of the end although it read nothing for a while', async ({ skip }) => {
  const lack = lackOfProgram('python3');
  if (lack !== null) skip(lack);
  const path = join(directory, 'notify');
  const receiver = await receive(path);
  const manager = new ServiceManager(path, () => undefined);
  let sent = 0;
  const fill = async (): Promise<boolean> => {
    const told = manager.tell({ STATUS: `number ${String(sent)}` });
    return settled(told);
  };
  while (sent < FULL_LIMIT && (await fill())) sent += 1;
  expect(sent).toBeLessThan(FULL_LIMIT);
  expect(await settled(manager.tell({ STOPPING: '1', STATUS: 'stopped' }))).toBe(false);
  expect(await receiver.take(sent)).toHaveLength(sent);
  vi.advanceTimersByTime(1_000);
  expect(await receiver.take(1)).toEqual(['STATUS=stopped\nSTOPPING=1']);
});

/** More than the system holds up for one socket, as it is set nearly everywhere. */
const FULL_LIMIT = 2_000;

/** The time for one message passes where it does not arrive. */
async function settled(told: Promise<boolean>): Promise<boolean> {
  const turn = new Promise<null>((resolve) => setImmediate(resolve, null));
  const first = await Promise.race([told, turn]);
  if (first !== null) return first;
  await vi.advanceTimersByTimeAsync(20);
  return told;
}

async function receive(path: string) {
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['pipe', 'pipe', 'ignore'] });
  receivers.push(child);
  let text = '';
  let onMore = (): void => undefined;
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    onMore();
  });
  const until = async (count: number): Promise<readonly string[]> => {
    while (text.split('\n').length <= count) {
      await new Promise<void>((resolve) => (onMore = resolve));
    }
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as string); // by the program above
  };
  let seen = (await until(1)).length;
  return {
    take: async (count: number): Promise<readonly string[]> => {
      child.stdin.write(`${String(count)}\n`);
      const all = await until(seen + count);
      const taken = all.slice(seen);
      seen = all.length;
      return taken;
    },
  };
}
