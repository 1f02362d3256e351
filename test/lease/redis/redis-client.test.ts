// The client of Redis is installed only where it is used: what is said where it is missing.
import { createServer as createPlainServer } from 'node:net';
import { createServer } from 'node:tls';
import { expect, it } from 'vitest';
import { parseLease } from '../../../src/config/lease-url.ts';
import type { RedisAddress } from '../../../src/config/lease-url.ts';
import { connectionsTo } from '../../../src/lease/redis/redis-client.ts';
import { until } from '../../support/until.ts';

it('a missing client is named with the command that installs it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'redis'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  await expect(connectionsTo(address(), 1, () => Promise.reject(missing))).rejects.toMatchObject({
    code: 'FAILOVER_CLIENT_MISSING',
    exitCode: 2,
    hint: 'Install it alongside failover with `npm install redis@6` (add -g if failover is installed globally).',
  });
});

it('a server behind TLS is told by which name it is asked for, as the guard tells it', async () => {
  const names: string[] = [];
  const server = createServer({
    SNICallback: (name, done) => {
      names.push(name);
      done(new Error('that is all'));
    },
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  try {
    const bound = server.address();
    const port = typeof bound === 'object' ? String(bound?.port) : '';
    const open = await connectionsTo(address(`rediss://localhost:${port}`), 5_000);
    const connection = open('changes');
    connection.onEnd(() => undefined);
    await expect(connection.connect(() => undefined)).rejects.toThrow();
    connection.destroy();
    expect(names).toEqual(['localhost']);
  } finally {
    server.close();
  }
});

it('a connection that is closed while it is made stays closed', async () => {
  let opened = 0;
  let open = 0;
  const server = createPlainServer((socket) => {
    opened += 1;
    open += 1;
    socket.on('error', () => undefined);
    socket.resume();
    socket.on('close', () => {
      open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const bound = server.address();
    const port = typeof bound === 'object' ? String(bound?.port) : '';
    const openOne = await connectionsTo(address(`redis://127.0.0.1:${port}`), 5_000);
    const connection = openOne('changes');
    connection.onEnd(() => undefined);
    const made = connection.connect(() => undefined);
    made.catch(() => undefined);
    connection.destroy();
    await until('the connection', () => opened === 1);
    await until('its end', () => open === 0);
    await expect(made).rejects.toThrow();
  } finally {
    server.close();
  }
});

function address(url = 'redis://127.0.0.1:1'): RedisAddress {
  const parsed = parseLease(url);
  if (parsed.kind !== 'redis') throw new Error('not of Redis');
  return parsed;
}
