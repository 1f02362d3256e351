// Watchers in processes: however the primary ends, exactly one of the others takes over, once.
import { describe, expect, it } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { until } from '../support/until.ts';
import { startProcess } from './support/watcher-processes.ts';
import type { WatcherProcess } from './support/watcher-processes.ts';
import { place, recordingTransport, secondary, started } from './support/watchers.ts';
import type { Place, RecordingTransport, Seen } from './support/watchers.ts';

/** The limits of a loaded machine: a false suspicion would be a takeover that is not the test's. */
const CALM = { heartbeatTimeoutMs: 1_000, probeTimeoutMs: 500 } as const;

describe('exactly one of two secondaries takes over', () => {
  it.each([
    ['at the end of its input', (primary: WatcherProcess) => primary.child.stdin.end(), 0],
    ['by SIGTERM', (primary: WatcherProcess) => primary.child.kill('SIGTERM'), 0],
    ['by SIGKILL', (primary: WatcherProcess) => primary.child.kill('SIGKILL'), null],
  ])(
    'when the primary ends %s',
    async (_, end, exitCode) => {
      const at = place();
      const first = await startProcess('primary', at, { ...CALM, nodeId: 'a' });
      const others = [
        await startProcess('secondary', at, { ...CALM, nodeId: 'b' }),
        await startProcess('secondary', at, { ...CALM, nodeId: 'c' }),
      ];
      end(first);
      expect(await first.ended()).toBe(exitCode);
      await until('a promotion', () => others.some((other) => other.role() === 'primary'));
      const newcomer = await join(at);
      await heartbeats(newcomer.bus, 50);
      expect(others.flatMap((other) => other.promotions())).toEqual([2]);
      expect(others.map((other) => other.role()).sort()).toEqual(['primary', 'secondary']);
      const leader = others[0]?.role() === 'primary' ? 'b' : 'c';
      expect(newcomer.watcher.status()).toMatchObject({ primary: leader, epoch: 2 });
      expect(newcomer.watcher.role).toBe('secondary');
    },
    60_000,
  );
});

it('of four that start together one leads and all four work', async () => {
  const at = place();
  const nodes = await Promise.all(
    ['a', 'b', 'c', 'd'].map((nodeId) => startProcess('secondary', at, { ...CALM, nodeId })),
  );
  await until('a primary', () => nodes.some((node) => node.role() === 'primary'));
  const newcomer = await join(at);
  await heartbeats(newcomer.bus, 50);
  expect(nodes.flatMap((node) => node.promotions())).toHaveLength(1);
  // Each of them is able to lead: they end one after the other, always the one that leads.
  for (let left = nodes.length; left > 0; left -= 1) {
    const leader = await until('a leader', () =>
      nodes.find((node) => node.role() === 'primary' && node.child.exitCode === null),
    );
    leader.child.stdin.end();
    expect(await leader.ended()).toBe(0);
  }
  const epochs = nodes.flatMap((node) => node.promotions());
  expect(epochs.sort((a, b) => a - b)).toEqual([...new Set(epochs)]);
  expect(nodes.every((node) => node.promotions().length === 1)).toBe(true);
}, 60_000);

it('a newcomer joins the primary that there is, and follows it to its end', async () => {
  const at = place();
  const first = await startProcess('primary', at, { ...CALM, nodeId: 'a' });
  const newcomer = await join(at);
  await heartbeats(newcomer.bus, 3);
  expect(newcomer.watcher.status()).toMatchObject({ primary: 'a', epoch: 1, role: 'secondary' });
  first.child.kill('SIGTERM');
  await until('nobody', () => newcomer.watcher.status()?.phase === 'waiting');
  expect(await first.ended()).toBe(0);
});

describe('a primary that is stopped', () => {
  it('stays the holder where fencing is off', async () => {
    const { first, other } = await stopped('none');
    await until('two refusals', () => waits(other) >= 2);
    expect(other.watcher.role).toBe('secondary');
    expect(stateOf(first)).toBe('T');
    expect(other.warnings.join()).toContain('--fence none');
  }, 60_000);

  it('is killed and replaced where fencing is on', async () => {
    const { first, other } = await stopped('kill');
    await until('the promotion', () => other.watcher.isPrimary);
    expect(await first.ended()).toBeNull();
    expect(first.child.signalCode).toBe('SIGKILL');
    expect(other.watcher.epoch).toBe(2);
  }, 60_000);

  it('is spared by kill-unless-stopped, and still stopped', async () => {
    const { first, other } = await stopped('kill-unless-stopped');
    await until('two refusals', () => waits(other) >= 2);
    expect(other.watcher.role).toBe('secondary');
    expect(stateOf(first)).toBe('T');
    expect(other.warnings.join()).toContain('spared');
  }, 60_000);
});

/** A primary under SIGSTOP, and a willing secondary that fences as it is told. */
async function stopped(
  fence: 'none' | 'kill' | 'kill-unless-stopped',
): Promise<{ readonly first: WatcherProcess; readonly other: Seen }> {
  const at = place();
  const first = await startProcess('primary', at, { nodeId: 'a' });
  const other = await started(
    secondary(at, {
      nodeId: 'b',
      fence,
      probeTimeoutMs: 200,
      promote: () => Promise.resolve(),
    }),
  );
  await until('the primary', () => other.watcher.status()?.primary === 'a');
  first.child.kill('SIGSTOP');
  return { first, other };
}

function waits({ transitions }: Seen): number {
  return transitions.filter(({ to }) => to === 'waiting').length;
}

function stateOf({ child }: WatcherProcess): string | undefined {
  return child.pid === undefined ? undefined : readStat(child.pid)?.state;
}

/** An observer in this process, which can not be promoted. */
async function join(at: Place): Promise<Seen & { readonly bus: RecordingTransport }> {
  const bus = recordingTransport(at);
  const observer = await started(secondary(at, { ...CALM, nodeId: 'newcomer', bus }));
  return { ...observer, bus };
}

async function heartbeats(bus: RecordingTransport, beats: number): Promise<void> {
  const heard = (): number => bus.heard.filter(({ type }) => type === 'heartbeat-received').length;
  const enough = heard() + beats;
  await until(`${String(beats)} heartbeats`, () => heard() >= enough);
}
