// A proxy before a group of real nodes: what it loses when the primary changes, over HTTP and over TCP.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PostgresServer, lackOfPostgres } from '../contracts/support/postgres-server.ts';
import { RedisServer, lackOfRedis } from '../contracts/support/redis-server.ts';
import { KINDS, runTrials } from '../proxy-trials/support/trials.ts';
import { freePort } from '../support/free-port.ts';
import { LAUNCHER } from '../support/process-node.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { endProxy as end, startProxy } from '../support/process-proxy.ts';
import { TIMINGS } from '../support/process-setup.ts';
import { ANSWERED, CALM } from '../support/process-steps.ts';

describe('failovers behind a proxy, under load', () => {
  it('lose nothing where they are planned, and else only POSTs that were under way', async () => {
    const options = { ...TIMINGS, ...ANSWERED.options };
    const { rounds, twice } = await runTrials({ kinds: KINDS, rate: 50, options });
    expect(rounds.flatMap(({ broken }) => broken)).toEqual([]);
    expect(rounds.map(({ kind }) => kind)).toEqual(KINDS);
    expect(twice).toEqual([]);
  });
});

describe('a proxy', () => {
  it('says that a group has no node yet, and forwards to the first that leads', async () => {
    await inGroup(async (group) => {
      const proxy = await startProxy(group, 'tcp');
      await group.until('the warning', () =>
        proxy.client.stderr.includes(`has no node yet in ${group.stateDir}`),
      );
      const answered = talk(proxy.port);
      await group.start('a', await echoServer());
      expect(await answered).toBe('a');
      await end(proxy.client);
    });
  });

  it('says that it does not see who leads, where the nodes keep that elsewhere', async () => {
    await inGroup(async (group) => {
      const secret = group.path('secret');
      writeFileSync(secret, 'a secret of thirty-two characters', { mode: 0o600 });
      const [own, other] = [await freePort(), await freePort()].map((port) => {
        return `http://127.0.0.1:${String(port)}`;
      });
      const peers = { peers: `${own ?? ''},${other ?? ''}`, 'peer-address': own ?? '' };
      await group.start('a', { options: { ...peers, lease: 'peers', 'secret-file': secret } });
      const { client } = await startProxy(group, 'tcp');
      await group.until('the warning', () => client.stderr.includes('no epoch of group g'));
      await end(client);
    });
  });

  it('says of a primary without --target that nothing can be forwarded to it', async () => {
    await inGroup(async (group) => {
      await group.startAll(['a']);
      const { client } = await startProxy(group, 'http');
      await group.until('the warning', () => client.stderr.includes('has no --target'));
      await end(client);
    });
  });

  it('ends in order also while it looks for who leads', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    await inGroup(async (group) => {
      const asked = new Promise((resolve) => silent.once('connection', resolve));
      // Never answers, like a server behind a firewall.
      const { port } = silent.address() as AddressInfo;
      const lease = `redis://127.0.0.1:${String(port)}`;
      const { client } = await startProxy(group, 'http', '--lease', lease);
      await asked;
      await end(client);
    });
  });

  it('is no node: a stop of the group does not end it, and nobody waits for one that is killed', async () => {
    await inGroup(async (group) => {
      const node = await group.start('a', await echoServer());
      await group.reaches(node, 'serving');
      const { client, port } = await startProxy(group, 'tcp');
      expect(await talk(port)).toBe('a');
      client.kill('SIGSTOP');
      // It is waited for as long as one may be, and no longer.
      const stopped = await group.client('stop');
      expect(stopped.code).toBe(0);
      client.kill('SIGCONT');
      expect(client.end).toBeNull();
      await end(client);
    });
  });
});

describe('a node with a proxy of its own', () => {
  it('passes on to whoever leads, itself or another, also while it steps down', async () => {
    await inGroup(async (group) => {
      const ports = [String(await freePort()), String(await freePort())] as const;
      const start = async (id: string, listen: string): Promise<NodeProcess> => {
        const { run, options } = await echoServer();
        const proxy = `127.0.0.1:${listen}`;
        return group.start(id, { run, options: { ...options, proxy } });
      };
      const first = await start('a', ports[0]);
      await group.reaches(first, 'serving');
      const second = await start('b', ports[1]);
      await group.reaches(second, 'watching');
      expect(await Promise.all(ports.map((port) => talk(Number(port))))).toEqual(['a', 'a']);
      first.kill('SIGUSR2');
      await group.until('what it has counted', () =>
        first.log.some(({ event }) => event === 'counts'),
      );
      expect(first.end).toBeNull();
      expect((await group.client('promote', 'b')).code).toBe(0);
      expect(await Promise.all(ports.map((port) => talk(Number(port))))).toEqual(['b', 'b']);
      first.kill('SIGKILL');
      expect(await talk(Number(ports[1]))).toBe('b');
    }, CALM);
  });

  it('is not started where its proxy has no port', async () => {
    await inGroup(async (group) => {
      const { client, port } = await startProxy(group, 'tcp');
      const node = group.launch('a', { options: { proxy: `127.0.0.1:${String(port)}` } });
      expect(await group.ends(node)).toBe(1);
      expect(node.stray).toContain('the address is in use');
      await end(client);
    });
  });
});

describe.skipIf(lackOfRedis() !== null)('redis-cli through a proxy', () => {
  it('waits while there is no primary, and is answered by the next one', async () => {
    await inGroup(async (group) => {
      const ports = [await freePort(), await freePort()] as const;
      const setups = ports.map((port) => ({
        run: `exec redis-server --port ${String(port)} --bind 127.0.0.1 --save '' --dir .`,
        options: { target: `tcp://127.0.0.1:${String(port)}` },
      }));
      const first = await group.start('a', setups[0]);
      await group.reaches(first, 'serving');
      const second = await group.start('b', setups[1]);
      await group.reaches(second, 'watching');
      const { client, port } = await startProxy(group, 'tcp');
      const redis = (...words: readonly string[]): string => {
        const command = ['-h', '127.0.0.1', '-p', String(port), ...words];
        return spawnSync('redis-cli', command, { encoding: 'utf8' }).stdout.trim();
      };
      expect(redis('SET', 'key', 'value')).toBe('OK');
      expect(redis('GET', 'key')).toBe('value');
      const workload = group.sessionOf('a');
      first.kill('SIGKILL');
      for (const pid of workload) group.signal(pid, 'SIGKILL');
      // Else it may answer with the end of the connection.
      await group.until('its end', () => !workload.some((pid) => group.lives(pid)));
      expect(redis('CONFIG', 'GET', 'port')).toBe(`port\n${String(ports[1])}`);
      await end(client);
    });
  });
});

describe.skipIf(lackOfRedis() !== null)('a proxy of a group whose lease is in Redis', () => {
  it('follows it there, over TCP with keys, also when its primary dies', async () => {
    const server = await RedisServer.start();
    try {
      await inGroup(async (group) => {
        const key = group.path('key');
        expect(spawnSync(process.execPath, [LAUNCHER, 'keygen', '--out', key]).status).toBe(0);
        const shared = { lease: `redis://127.0.0.1:${String(server.port)}`, 'key-file': key };
        const start = async (id: string): Promise<NodeProcess> => {
          const { run, options } = await echoServer();
          const own = { 'state-dir': group.path(`state-${id}`), bind: 'tcp://127.0.0.1:0' };
          const node = group.launch(id, { run, options: { ...options, ...shared, ...own } });
          await group.until(`${id} to take part`, () => isSteady(node));
          return node;
        };
        const nodes = [await start('a'), await start('b'), await start('c')];
        const flags = Object.entries(shared).flatMap(([name, value]) => [`--${name}`, value]);
        const { client, port } = await startProxy(group, 'tcp', ...flags);
        const first = await leaderBehind(port, group, nodes);
        first.kill('SIGKILL');
        await group.ends(first);
        const next = await leaderBehind(port, group, nodes);
        expect(next.id).not.toBe(first.id);
        await end(client);
      });
    } finally {
      await server.end();
    }
  });
});

describe.skipIf(lackOfPostgres() !== null)('psql through a proxy', () => {
  it('has its session to itself, and another one after a failover', async () => {
    const server = await PostgresServer.start();
    try {
      await inGroup(async (group) => {
        const setup = { run: 'exec sleep 1000', options: { target: `tcp://${server.host}` } };
        const [first, second] = await group.startAll(['a', 'b'], setup);
        const { client, port } = await startProxy(group, 'tcp');
        const psql = (sql: string): string => {
          const url = server.url.replace(/:\d+\//, `:${String(port)}/`);
          return spawnSync('psql', [url, '-Atc', sql], { encoding: 'utf8' }).stdout.trim();
        };
        expect(psql('SELECT sum(n) FROM generate_series(1, 100000) AS n')).toBe('5000050000');
        first.kill('SIGKILL');
        await group.reaches(second, 'serving');
        expect(psql("SELECT repeat('x', 100000)")).toBe('x'.repeat(100_000));
        await end(client);
      });
    } finally {
      await server.end();
    }
  });
});

/** A command that says the name of its node to whoever connects, and then ends the connection. */
async function echoServer(): Promise<{
  readonly run: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}> {
  const port = String(await freePort());
  const program = `require('net').createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(process.env.FAILOVER_NODE);
  }).listen(${port}, '127.0.0.1')`;
  return {
    run: [process.execPath, '-e', program],
    options: { target: `tcp://127.0.0.1:${port}` },
  };
}

function isSteady({ phase }: NodeProcess): boolean {
  return phase === 'serving' || phase === 'watching';
}

/**
 * Who leads, once it is also who answers through the proxy. A machine too busy to renew a lease in time gives it to
 * another, also between a look at the nodes and the answer.
 */
async function leaderBehind(
  port: number,
  group: Group,
  nodes: readonly NodeProcess[],
): Promise<NodeProcess> {
  for (;;) {
    const leader = await group.primaryOf(nodes);
    if ((await talk(port)) === leader.id) return leader;
  }
}

/** All that comes over one connection; tried again by a process of its own, as a client would. */
function talk(port: number): Promise<string> {
  const program = `require('net').connect(${String(port)}, '127.0.0.1').pipe(process.stdout)`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', () => {
      resolve(text);
    });
  });
}
