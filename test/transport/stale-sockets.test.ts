// Leftovers of killed processes: removed when nobody listens there, and never otherwise.
import { once } from 'node:events';
import { linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { removeStaleSockets } from '../../src/transport/stale-sockets.ts';
import { openTransport, startPeer, temporaryDirectory } from './support/nodes.ts';

const LATER_MS = 60_000;

it('removes the sockets of a killed process, and no others', async () => {
  const directory = temporaryDirectory();
  const { child, holder } = await startPeer(directory);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const living = openTransport(directory);
  writeFileSync(join(directory, '0a1b2c3d.bus'), 'a file');
  writeFileSync(join(directory, 'notes.rpc'), '');
  const before = readdirSync(directory);
  await removeStaleSockets(directory);
  expect(readdirSync(directory)).toEqual(before);

  passTime();
  await removeStaleSockets(directory);
  const dead = Object.values(holder.endpoints).map(nameOf);
  expect(dead).toHaveLength(2);
  expect(readdirSync(directory)).toEqual(before.filter((name) => !dead.includes(name)));
  expect(readdirSync(directory)).toEqual(
    expect.arrayContaining(Object.values(living.endpoints).map(nameOf)),
  );
});

it('does without a directory', async () => {
  const directory = temporaryDirectory();
  rmSync(directory, { recursive: true });
  await expect(removeStaleSockets(directory)).resolves.toBeUndefined();
});

it('runs when a transport opens', async () => {
  const directory = temporaryDirectory();
  const { child, holder } = await startPeer(directory);
  child.kill('SIGKILL');
  await once(child, 'exit');
  passTime();
  const transport = openTransport(directory);
  await transport.close();
  expect(Object.values(holder.endpoints)).toHaveLength(2);
  expect(readdirSync(directory)).toEqual([]);
});

it('asks a socket that the list of the kernel lacks', async () => {
  const directory = temporaryDirectory();
  // Bound under one path and seen under another, as from elsewhere.
  const server = createServer().listen(join(directory, 'plain'));
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  for (const name of ['00000001.bus', '00000002.bus', '00000003.bus']) {
    linkSync(join(directory, 'plain'), join(directory, name));
  }
  passTime();
  await removeStaleSockets(directory);
  expect(readdirSync(directory)).toHaveLength(4);
});

function passTime(): void {
  const later = Date.now() + LATER_MS;
  const clock = vi.spyOn(Date, 'now').mockReturnValue(later);
  onTestFinished(() => {
    clock.mockRestore();
  });
}

function nameOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf('/') + 1);
}
