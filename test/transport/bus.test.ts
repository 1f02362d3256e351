// The process's two sockets: bound where nobody else is, repaired when deleted, gone when closed.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Endpoints } from '../../src/core/state.ts';
import { Transport } from '../../src/transport/bus.ts';
import { pathOfEndpoint } from '../../src/transport/endpoints.ts';
import { RpcClient, callOnce } from '../../src/transport/rpc-client.ts';
import {
  eventually,
  heartbeat,
  openNode,
  openTransport,
  publishUntil,
  standbyInfo,
  startPeer,
  temporaryDirectory,
} from './support/nodes.ts';
import { mayBeAnotherUser } from '../support/another-user.ts';

const BUILT = join(import.meta.dirname, '../../dist/transport/bus.js');

describe('opening', () => {
  it('binds two short paths of its own in a private directory', () => {
    const directory = join(temporaryDirectory(), 'sockets');
    const [first, second] = [openTransport(directory), openTransport(directory)];
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(
      [first, second].flatMap(({ endpoints }) => socketNames(endpoints)).sort(),
    );
    for (const file of readdirSync(directory)) expect(file).toMatch(/^[0-9a-f]{8}\.(bus|rpc)$/);
  });

  it('refuses an address that is taken, and leaves its owner alone', async () => {
    const directory = temporaryDirectory();
    const owner = openTransport(directory, { name: 'taken' });
    openNode(owner, 'a');
    expect(() => new Transport({ directory, name: 'taken' })).toThrow(
      expect.objectContaining({ code: 'FAILOVER_ADDRESS_IN_USE' }),
    );
    await expect(ping(owner.endpoints)).resolves.toMatchObject({ run: 'a-run' });
  });

  it('refuses both addresses when only the second is taken, and keeps none', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'half.rpc'), 'not a socket');
    expect(() => new Transport({ directory, name: 'half' })).toThrow(
      expect.objectContaining({
        code: 'FAILOVER_ADDRESS_IN_USE',
        message: expect.stringContaining('half.rpc') as string,
      }),
    );
    expect(readdirSync(directory)).toEqual(['half.rpc']);
  });

  const isRoot = process.geteuid?.() === 0;
  it.skipIf(isRoot && !mayBeAnotherUser)(
    'says which directory it may not write, and what decides where sockets go',
    () => {
      const directory = temporaryDirectory();
      const readOnly = join(directory, 'failover');
      mkdirSync(readOnly);
      chmodSync(directory, 0o755);
      const script = `
      import { Transport } from ${JSON.stringify(BUILT)};
      try { new Transport({ directory: ${JSON.stringify(readOnly)}, name: 'a' }); }
      catch ({ code, message, hint }) { console.log(JSON.stringify({ code, message, hint })); }`;
      // Root may write anywhere: the attempt is another user's then.
      if (isRoot) spawnSync('chown', ['65534', readOnly]);
      const asOther = isRoot ? ['setpriv', '--reuid', '65534', '--clear-groups'] : [];
      const command = [...asOther, process.execPath, '--input-type=module', '-e', script];
      for (const mode of [0o500, 0o600]) {
        chmodSync(readOnly, mode);
        const ran = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
        expect(JSON.parse(ran.stdout)).toEqual({
          code: 'FAILOVER_STATE_DIR_NOT_WRITABLE',
          message: `Cannot create a socket at ${readOnly}/a.bus: permission denied`,
          hint: expect.stringMatching(
            /^Run `chmod 700 \S+\/failover` .*XDG_RUNTIME_DIR .* regardless of --state-dir\.$/,
          ) as string,
        });
      }
    },
  );

  it('refuses a path that is too long', () => {
    const directory = join(temporaryDirectory(), 'x'.repeat(100));
    expect(() => new Transport({ directory })).toThrow(
      expect.objectContaining({ code: 'FAILOVER_PATH_TOO_LONG' }),
    );
    expect(existsSync(directory)).toBe(false);
  });

  it('runs many groups on the same two sockets, and each of them once', async () => {
    const directory = temporaryDirectory();
    const transport = openTransport(directory);
    for (let index = 0; index < 100; index += 1) {
      openNode(transport, 'a', { group: `g${index}`, run: `run-${index}` });
    }
    expect(readdirSync(directory)).toHaveLength(2);
    await expect(ping(transport.endpoints, 'g42')).resolves.toMatchObject({ run: 'run-42' });
    expect(() => openNode(transport, 'b', { group: 'g42' })).toThrow(
      expect.objectContaining({ code: 'FAILOVER_NODE_TAKEN' }),
    );
  });
});

describe('checkSockets', () => {
  it('finds nothing to do while the paths are there', () => {
    const transport = openTransport(temporaryDirectory());
    const before = transport.endpoints;
    expect(transport.checkSockets()).toEqual({ type: 'intact' });
    expect(transport.endpoints).toEqual(before);
  });

  it('binds anew when the directory was removed, and keeps the connections that stand', async () => {
    const directory = join(temporaryDirectory(), 'sockets');
    const told: Endpoints[] = [];
    const transport = openTransport(directory, {
      onEndpointsChanged: (endpoints) => told.push(endpoints),
    });
    const primary = openNode(transport, 'a');
    const elsewhere = temporaryDirectory();
    const follower = openNode(openTransport(elsewhere), 'b');
    follower.bus.follow(primary.holder);
    await publishUntil(
      () => {
        primary.bus.publish(heartbeat());
      },
      () => follower.events.length > 0,
    );
    rmSync(directory, { recursive: true });

    const check = transport.checkSockets();
    expect(check).toEqual({ type: 'rebound', endpoints: transport.endpoints });
    expect(told).toEqual([transport.endpoints]);
    expect(transport.endpoints).not.toEqual(primary.holder.endpoints);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(transport.checkSockets()).toEqual({ type: 'intact' });

    const newcomer = openNode(openTransport(elsewhere), 'c');
    newcomer.bus.follow({ ...primary.holder, endpoints: transport.endpoints });
    const heardBefore = follower.events.length;
    await publishUntil(
      () => {
        primary.bus.publish(heartbeat());
      },
      () => newcomer.events.length > 0 && follower.events.length > heardBefore,
    );
    for (const node of [follower, newcomer]) {
      expect(node.events.map((event) => event.type)).not.toContain('connection-lost');
      await expect(probe(node)).resolves.toMatchObject({ run: 'a-run' });
    }
  });

  it('counts a path that another file has taken as gone, and leaves that file alone', async () => {
    const directory = temporaryDirectory();
    const transport = openTransport(directory);
    const path = pathOfEndpoint(transport.endpoints.bus) ?? '';
    rmSync(path);
    writeFileSync(path, 'somebody else');
    expect(transport.checkSockets().type).toBe('rebound');
    await transport.close();
    expect(readdirSync(directory)).toContain(socketNames({ bus: `ipc://${path}`, rpc: '' })[0]);
  });

  it('says why it can not bind anew, and succeeds once it can', () => {
    const directory = join(temporaryDirectory(), 'sockets');
    const transport = openTransport(directory);
    renameSync(directory, `${directory}-moved`);
    writeFileSync(directory, 'in the way');
    expect(transport.checkSockets()).toMatchObject({
      type: 'failed',
      error: { code: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY' },
    });
    rmSync(directory);
    expect(transport.checkSockets().type).toBe('rebound');
  });

  it('answers a request that arrived while it bound anew', async () => {
    const directory = join(temporaryDirectory(), 'sockets');
    const transport = openTransport(directory);
    openNode(transport, 'a');
    const client = new RpcClient(transport.endpoints.rpc);
    const request = { method: 'instance.ping', params: { group: 'web' } } as const;
    await client.call({ ...request, timeoutMs: 15_000 });
    rmSync(directory, { recursive: true });
    const answer = client.call({ ...request, timeoutMs: 15_000 });
    // This thread is kept busy while libzmq's own delivers: the server can't have read it yet.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    expect(transport.checkSockets().type).toBe('rebound');
    await expect(answer).resolves.toMatchObject({ run: 'a-run' });
    client.close();
  });

  it('gives up after so many removals, and keeps the last addresses', async () => {
    const directory = join(temporaryDirectory(), 'sockets');
    const transport = openTransport(directory);
    openNode(transport, 'a');
    const repairs = 63;
    for (let round = 0; round < repairs; round += 1) {
      rmSync(directory, { recursive: true });
      expect(transport.checkSockets().type).toBe('rebound');
    }
    await expect(ping(transport.endpoints)).resolves.toMatchObject({ run: 'a-run' });
    rmSync(directory, { recursive: true });
    expect(transport.checkSockets()).toMatchObject({
      type: 'failed',
      error: { code: 'FAILOVER_ADDRESS_IN_USE' },
    });
  });
});

describe('close', () => {
  it('removes the socket files, also when it is called twice', async () => {
    const directory = temporaryDirectory();
    const transport = openTransport(directory);
    const node = openNode(transport, 'a');
    await Promise.all([transport.close(), transport.close()]);
    expect(readdirSync(directory)).toEqual([]);
    node.bus.publish(heartbeat());
    node.bus.follow(node.holder);
    await node.bus.close();
    expect(transport.checkSockets()).toEqual({ type: 'intact' });
  });

  it('leaves nothing that keeps a process alive', async () => {
    const directory = temporaryDirectory();
    const { child } = await startPeer(directory, { task: 'close' });
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('ends the calls that wait', async () => {
    const directory = temporaryDirectory();
    const transport = openTransport(directory);
    const waiting = openNode(openTransport(directory), 'a', {
      onRequest: () => new Promise(() => undefined),
    });
    const node = openNode(transport, 'b');
    node.bus.follow(waiting.holder);
    const demotion = node.bus.requestDemotion({ successor: 'b', timeoutMs: 60_000 });
    await eventually(() => {
      expect(waiting.transport.counters().requests).toBe(1);
    });
    await transport.close();
    await expect(demotion).resolves.toMatchObject({ accepted: false });
  });

  it('lets another process have the name', async () => {
    const directory = temporaryDirectory();
    await openTransport(directory, { name: 'one' }).close();
    mkdirSync(directory, { recursive: true });
    const next = openTransport(directory, { name: 'one' });
    openNode(next, 'a');
    await expect(ping(next.endpoints)).resolves.toMatchObject({ run: 'a-run' });
  });
});

function socketNames({ bus, rpc }: Endpoints): string[] {
  return [bus, rpc].map((endpoint) => endpoint.slice(endpoint.lastIndexOf('/') + 1));
}

function ping(endpoints: Endpoints, group = 'web'): Promise<unknown> {
  return callOnce(endpoints.rpc, { method: 'instance.ping', params: { group }, timeoutMs: 15_000 });
}

function probe(node: ReturnType<typeof openNode>): Promise<unknown> {
  return node.bus.probe({ timeoutMs: 15_000, standby: standbyInfo() });
}
