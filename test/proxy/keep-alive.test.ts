// Connections in tcp mode whose other end may be gone without a word.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { rawClient } from './support/proxied.ts';
import { startTcpPrimary, startTcpProxy } from './support/tcp-proxied.ts';

function answer(connection: Socket): void {
  connection.on('data', (chunk: Buffer) => connection.write(chunk));
}

it.skipIf(process.platform !== 'linux')(
  'the system watches over both ends of one on which nobody has spoken for a while, and of no other',
  async () => {
    const primary = await startTcpPrimary(1, answer);
    const watched: number[] = [];
    for (const watchAfterMs of [30_000, 50]) {
      const { proxy, port } = await startTcpProxy({}, { watchAfterMs });
      proxy.listener.ready(primary.term);
      const client = rawClient(port, 'hello');
      await until('an answer', () => client.text() === 'hello');
      const upstream = Number(new URL(primary.term.target).port);
      const count = (): number => keptAlive({ from: port }) + keptAlive({ to: upstream });
      if (watchAfterMs === 50) await until('both to be watched', () => count() === 2);
      watched.push(count());
    }
    expect(watched).toEqual([0, 2]);
  },
);

/** How many connections from or to a port of this machine have a timer that asks whether the other end is there. */
function keptAlive({ from, to }: { readonly from?: number; readonly to?: number }): number {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  return lines.filter((line) => {
    const [, local = '', remote = '', , , timer = ''] = line.trim().split(/\s+/);
    const isAsked = from === undefined || local.endsWith(`:${hex(from)}`);
    return (
      isAsked && (to === undefined || remote.endsWith(`:${hex(to)}`)) && timer.startsWith('02:')
    );
  }).length;
}
