// One check of each kind: what passes, and what is said of what does not.
import { describe, expect, it } from 'vitest';
import type { PolledCheck } from '../../src/config/polled-check.ts';
import { attempt, attemptCheck } from '../../src/health/attempt.ts';
import type { AttemptLimits } from '../../src/health/attempt.ts';
import type { CheckResult } from '../../src/health/check-result.ts';
import { until } from '../support/until.ts';
import { lives, pidFrom, workloadDirectory } from '../support/workload.ts';
import { closedPort, httpServer, tcpServer } from './support/servers.ts';

/** More than any of these takes that is not to end by it. */
const LONG_MS = 60_000;

function tried(check: PolledCheck, limits: Partial<AttemptLimits> = {}): Promise<CheckResult> {
  return attemptCheck(check, {
    ...{ timeoutMs: LONG_MS, environment: {}, deathSignal: false },
    ...limits,
  });
}

async function http(port: number, limits?: Partial<AttemptLimits>): Promise<CheckResult> {
  return tried({ kind: 'http', url: `http://127.0.0.1:${String(port)}/health?deep=1` }, limits);
}

describe('a check over HTTP', () => {
  it.each([200, 201, 204, 301, 302, 399])('passes with status %i', async (status) => {
    const port = await httpServer((_, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const result = await http(port);
    expect(result).toEqual({ healthy: true, latencyMs: expect.any(Number) as number });
    expect(result.latencyMs).toBeGreaterThan(0);
  });

  it.each([400, 404, 429, 500, 503])(
    'does not pass with status %i, and says so',
    async (status) => {
      const port = await httpServer((_, response) => response.writeHead(status).end());
      const error = `it answered ${String(status)}`;
      expect(await http(port)).toMatchObject({ healthy: false, reason: 'status', error });
    },
  );

  it('is one GET of what was given, over a connection of its own that ends with it', async () => {
    const asked: string[] = [];
    let open = 0;
    const port = await httpServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      open += 1;
      request.socket.on('close', () => (open -= 1));
      response.writeHead(302, { location: '/elsewhere' }).end('body');
    });
    await http(port);
    await until('the end of the connection', () => open === 0);
    expect(asked).toEqual(['GET /health?deep=1']);
  });

  it('does not wait for a body that never ends', async () => {
    const port = await httpServer((_, response) => response.writeHead(200).write('and so on'));
    expect((await http(port)).healthy).toBe(true);
  });

  it('is refused where nobody listens', async () => {
    const result = await http(await closedPort());
    expect(result).toMatchObject({ healthy: false, reason: 'refused' });
    expect(result).toHaveProperty('error', expect.stringContaining('ECONNREFUSED'));
  });

  it('says so for a name with several addresses, too', async () => {
    const url = `http://localhost:${String(await closedPort())}/`;
    const result = await tried({ kind: 'http', url });
    expect(result).toMatchObject({ healthy: false, reason: 'refused' });
    expect(result).toHaveProperty('error', expect.stringContaining('ECONNREFUSED'));
  });

  it.each([
    ['closes the connection', ''],
    ['speaks something else', 'SSH-2.0-x\r\n'],
    [
      'changes protocols',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
  ])('does not pass when the other side %s', async (_, answer) => {
    const port = await tcpServer((socket) => {
      socket.once('data', () => socket.end(answer));
    });
    expect(await http(port)).toMatchObject({ healthy: false, reason: 'unreachable' });
  });

  it('is given up when its time is over', async () => {
    const port = await httpServer(() => undefined);
    expect(await http(port, { timeoutMs: 20 })).toMatchObject({
      ...{ healthy: false, reason: 'timed-out', error: 'it did not answer within 20ms' },
    });
  });

  it('is given up when it is called off', async () => {
    const controller = new AbortController();
    const port = await httpServer(() => {
      controller.abort();
    });
    expect(await http(port, { signal: controller.signal })).toMatchObject({
      ...{ healthy: false, reason: 'cancelled', error: 'the check was cancelled' },
    });
  });

  it('tells a deadline of who asked from a call to stop', async () => {
    const port = await httpServer(() => undefined);
    expect(await http(port, { signal: AbortSignal.timeout(20) })).toMatchObject({
      ...{ healthy: false, reason: 'timed-out', error: 'its deadline has passed' },
    });
  });

  it('is not begun when it is called off before', async () => {
    let asked = 0;
    const port = await httpServer(() => (asked += 1));
    const result = await http(port, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ healthy: false, reason: 'cancelled' });
    expect(asked).toBe(0);
  });
});

describe('a check of a port', () => {
  it('passes with a connection that is accepted, and closes it', async () => {
    let closed = 0;
    const port = await tcpServer((socket) => socket.resume().on('close', () => (closed += 1)));
    expect((await tried({ kind: 'tcp', host: '127.0.0.1', port })).healthy).toBe(true);
    await until('the end of the connection', () => closed === 1);
  });

  it('is refused where nobody listens', async () => {
    const port = await closedPort();
    expect(await tried({ kind: 'tcp', host: '127.0.0.1', port })).toMatchObject({
      ...{ healthy: false, reason: 'refused' },
    });
  });

  it('does not pass for a host that there is not', async () => {
    expect(await tried({ kind: 'tcp', host: 'none.invalid', port: 80 })).toMatchObject({
      ...{ healthy: false, reason: 'unreachable' },
    });
  });
});

describe('a check by a command', () => {
  const exec = (command: string, limits?: Partial<AttemptLimits>): Promise<CheckResult> =>
    tried({ kind: 'exec', command }, limits);

  it.each([
    ['true', true],
    ['exit 3', 'the health check ended with exit code 3'],
    ['kill -9 $$', 'the health check ended with signal SIGKILL (exit code 137)'],
    ['exec /nowhere 2>&-', 'the health check ended with exit code 127'],
  ])('%s', async (command, expected) => {
    const result = await exec(command);
    expect(result.healthy ? true : result.error).toBe(expected);
  });

  it('ends with all that it has started when its time is over', async () => {
    const directory = workloadDirectory();
    const command = `sleep 100 & echo $! > ${directory}/pid; wait`;
    // Enough for a shell to start in, and to write what it has started.
    expect(await exec(command, { timeoutMs: 3_000 })).toMatchObject({ reason: 'timed-out' });
    const pid = await pidFrom(`${directory}/pid`);
    await until('the end of what it has started', () => !lives(pid));
  });
});

describe('a check of any kind', () => {
  it('that throws has not passed', async () => {
    const thrown = attempt({ timeoutMs: LONG_MS }, () => Promise.reject(new Error('no database')));
    expect(await thrown).toMatchObject({ healthy: false, reason: 'failed', error: 'no database' });
  });

  it('leaves no listener at the signal of who asked', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = Object.create(signal, {
      aborted: { value: false },
      addEventListener: { value: () => (listeners += 1) },
      removeEventListener: { value: () => (listeners -= 1) },
    }) as AbortSignal; // A stand-in for what can't be counted otherwise.
    await attempt({ timeoutMs: LONG_MS, signal: counted }, () => Promise.resolve(null));
    expect(listeners).toBe(0);
  });
});
