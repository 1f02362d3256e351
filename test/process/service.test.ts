// A node as a service: what arrives at the socket of its manager, what its command does not find, and what it logs.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOG_EVENTS, LOG_FIELDS } from '../../src/cli/render/log-events.ts';
import { freePort } from '../support/free-port.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { LAUNCHER } from '../support/process-node.ts';
import { lackOfProgram } from '../support/programs.ts';

/** Each datagram as JSON on a line, with the pid that the kernel says sent it. */
const RECEIVER = `
import json, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, 1024)
    pid = struct.unpack('3i', ancillary[0][2][:12])[0]
    print(json.dumps({'pid': pid, 'text': data.decode()}), flush=True)
`;

interface Datagram {
  readonly pid: number;
  readonly text: string;
}

/** By what it is found, and what it has heard at its socket. */
interface FakeManager {
  readonly env: Readonly<Record<string, string>>;
  readonly heard: () => readonly Datagram[];
  readonly hears: (part: string) => Promise<void>;
}

async function withManager(
  group: Group,
  use: (manager: FakeManager) => Promise<void>,
): Promise<void> {
  const socket = join(group.directory, 'notify');
  const receiver = spawn('python3', ['-c', RECEIVER, socket], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    let written = '';
    receiver.stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
    await group.until('the receiver', () => written.startsWith('bound\n'));
    const heard = (): readonly Datagram[] =>
      written
        .split('\n')
        .slice(1, -1)
        .map((line) => JSON.parse(line) as Datagram);
    await use({
      env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' },
      heard,
      hears: async (part) => {
        await group.until(part, () => heard().some(({ text }) => text.includes(part)));
      },
    });
  } finally {
    receiver.kill('SIGKILL');
  }
}

const PRINTS_MANAGER = 'echo "found:$NOTIFY_SOCKET$WATCHDOG_USEC"';

it('tells its manager that it is ready, what it is, that it lives and that it ends', async ({
  skip,
}) => {
  const lack = lackOfProgram('python3');
  if (lack !== null) skip(lack);
  await inGroup((group) =>
    withManager(group, async ({ env, heard, hears }) => {
      const a = await group.start('a', { env, run: `${PRINTS_MANAGER}; exec $W` });
      await group.reaches(a, 'serving');
      await hears('WATCHDOG=1');
      await hears('STATUS=primary of group g, epoch 1');
      await group.until('what its command found', () => a.output.includes('found:\n'));
      group.signal(a.pid, 'SIGTERM');
      expect(await group.ends(a)).toBe(0);
      await hears('STATUS=stopped');
      const texts = heard().map(({ text }) => text);
      expect(texts[0]).toMatch(/^READY=1\nSTATUS=secondary of group g/);
      expect(texts.filter((text) => text.startsWith('STOPPING=1\n'))).toHaveLength(1);
      expect(new Set(heard().map(({ pid }) => pid))).toEqual(new Set([a.pid]));
    }),
  );
});

it('tells its manager of all groups of a process together, and their commands find no manager', async ({
  skip,
}) => {
  const lack = lackOfProgram('python3');
  if (lack !== null) skip(lack);
  await inGroup((group) =>
    withManager(group, async ({ env, heard, hears }) => {
      const file = join(group.directory, 'failover.yaml');
      const defaults = `{command: ${JSON.stringify(`${PRINTS_MANAGER}; exec sleep 1000`)}}`;
      const common = `stateDir: ${group.directory}/up\ndefaults: ${defaults}`;
      writeFileSync(file, `${common}\ngroups: {a: {}, b: {}}\n`);
      const up = spawn(process.execPath, [LAUNCHER, 'up', '-f', file], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ended = new Promise((resolve) => up.once('exit', resolve));
      try {
        let output = '';
        up.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
        await hears('2 groups, primary of 2');
        await hears('WATCHDOG=1');
        await group.until('what they found', () => output === 'found:\nfound:\n');
        up.kill('SIGTERM');
        expect(await ended).toBe(0);
        await hears('STATUS=all groups have ended');
        const texts = heard().map(({ text }) => text);
        expect(texts.filter((text) => text.startsWith('READY=1\n'))).toHaveLength(1);
        expect(texts.filter((text) => text.startsWith('STOPPING=1\n'))).toHaveLength(1);
      } finally {
        up.kill('SIGKILL');
      }
    }),
  );
});

it('logs nothing but the events and fields of the manual', async () => {
  await inGroup(async (group) => {
    const a = await group.start('a', { options: { http: String(await freePort()) } });
    await group.reaches(a, 'serving');
    group.signal(a.pid, 'SIGTERM');
    await group.ends(a);
    const events: Readonly<Record<string, { readonly fields: object }>> = LOG_EVENTS;
    const strange = a.log.flatMap((line) => {
      const own = events[line.event]?.fields ?? {};
      const names = Object.keys(line).filter((name) => !(name in LOG_FIELDS) && !(name in own));
      const missing = Object.keys(LOG_FIELDS).filter((name) => !(name in line));
      return [...names, ...missing];
    });
    expect(strange).toEqual([]);
    expect(a.log.map(({ event }) => event)).toEqual(expect.arrayContaining(['http', 'exit']));
  });
});
