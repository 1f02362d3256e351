// A `failover proxy` as a process of its own, before a group of real nodes.
import { expect } from 'vitest';
import type { Group } from './process-group.ts';
import type { ClientProcess } from './process-node.ts';

/** Resolves when it listens, at a port of its own. */
export async function startProxy(
  group: Group,
  mode: 'http' | 'tcp',
  ...more: readonly string[]
): Promise<{ readonly client: ClientProcess; readonly port: number }> {
  const listen = ['--listen', '127.0.0.1:0', '--mode', mode, '--log-format', 'json'];
  const client = group.startClient('proxy', ...listen, ...more);
  const port = await group.until('the proxy to listen', () => {
    if (client.end !== null) throw new Error(`the proxy has ended: ${client.stderr}`);
    return Number(/"port":(\d+)/.exec(client.stderr)?.[1] ?? 0) || null;
  });
  return { client, port };
}

/** In order, and with exit code 0. */
export async function endProxy(proxy: ClientProcess): Promise<void> {
  proxy.kill('SIGTERM');
  expect((await proxy.done).code).toBe(0);
}
