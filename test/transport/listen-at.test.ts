// Addresses that can't be listened at, each named in our words.
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenAt } from '../../src/transport/listen-at.ts';

function listen(host: string | null, port: number): Promise<number> {
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  return listenAt(server, { host, port });
}

describe('listening', () => {
  it('gives the port that the system has chosen', async () => {
    expect(await listen('127.0.0.1', 0)).toBeGreaterThan(0);
    expect(await listen(null, 0)).toBeGreaterThan(0);
  });

  it('at an address that is in use is refused', async () => {
    const port = await listen('127.0.0.1', 0);
    await expect(listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'FAILOVER_ADDRESS_IN_USE',
      message: `Cannot listen on 127.0.0.1:${String(port)}: the address is in use`,
    });
  });

  it('at an address of another machine is refused', async () => {
    await expect(listen('192.0.2.1', 0)).rejects.toMatchObject({
      code: 'FAILOVER_BAD_OPTION',
      message: 'Cannot listen on 192.0.2.1:0: this machine has no such address',
    });
  });
});
