// Steps and settings that many tests of groups share.
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import type { Group } from './process-group.ts';
import type { NodeProcess } from './process-node.ts';

/**
 * For groups in which nothing but what a test does is to be noticed: a machine that is busy with other
 * programs makes no silence as long as this.
 */
export const CALM = {
  options: { 'heartbeat-timeout': '20s', 'probe-timeout': '5s', 'probe-interval': '10m' },
} as const;

/** For groups that doubt as fast as others: a primary that is asked to hand over has long enough for its answer. */
export const ANSWERED = { options: { 'probe-timeout': '2s' } } as const;

/** For groups whose lease is on a server: nobody steps down because the machine is busy. What ends by itself takes long. */
export const STEADY = { options: { 'lease-ttl': '10s' } } as const;

/** The same for a lease among peers, each of which leads no sooner than a time to live after its start. */
export const STEADY_PEERS = {
  options: { 'lease-ttl': '4s', 'lease-max-drift': '3200ms' },
} as const;

/** Ends a primary in order; the next one serves, with the second workload of the group. */
export async function handOver(group: Group, from: NodeProcess, to: NodeProcess): Promise<void> {
  from.kill('SIGTERM');
  expect(await group.ends(from)).toBe(0);
  await group.reaches(to, 'serving');
  await group.active(2);
}

/** Kills the supervisor of a primary; the next one serves, with the second workload of the group. */
export async function takeOver(group: Group, from: NodeProcess, to: NodeProcess): Promise<void> {
  from.kill('SIGKILL');
  await group.active(2);
  await group.reaches(to, 'serving');
}

/** Waits until a node has bound sockets at other paths than before, and has said where. */
export async function bindsAnew(
  group: Group,
  node: NodeProcess,
  before: readonly string[],
): Promise<void> {
  await group.until('the new sockets', () => {
    group.noteSockets();
    const now = group.socketsOf(node);
    return now.length > 0 && now.every((path) => existsSync(path) && !before.includes(path));
  });
}

/** Waits until a newcomer has found out that somebody holds the lease whom it does not hear. */
export async function findsTaken(group: Group, node: NodeProcess): Promise<void> {
  await group.until(
    `${node.id} to find the lease taken`,
    () => node.timesIn('suspecting') + node.timesIn('waiting') > 0,
  );
}
