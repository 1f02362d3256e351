import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitUntilReady } from '../../src/workload/ready.ts';
import { until } from '../support/until.ts';
import {
  lives,
  pidFrom,
  TERM,
  textOf,
  workloadDirectory,
  workloadOf,
} from '../support/workload.ts';

function waiting(): { readonly signal: AbortSignal; readonly abort: () => void } & {
  readonly environment: Record<string, string>;
  readonly deathSignal: boolean;
} {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  onTestFinished(abort);
  return { signal: controller.signal, abort, environment: {}, deathSignal: true };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  // A listening TCP server has an address with a port.
  return (server.address() as AddressInfo).port;
}

describe('waiting for an answer over HTTP', () => {
  it('passes with the first status from 200 to 399, and follows no redirect', async () => {
    const statuses = [503, 404, 302];
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(statuses.shift() ?? 500, { location: '/elsewhere' }).end('body');
    });
    const port = await listening(server);
    const url = `http://127.0.0.1:${String(port)}/health?deep=1`;
    expect(await waitUntilReady({ kind: 'http', url }, waiting())).toBe(true);
    expect(asked).toEqual(Array(3).fill('GET /health?deep=1'));
    const connections = await new Promise((resolve) => {
      server.getConnections((_, count) => {
        resolve(count);
      });
    });
    expect(connections).toBeLessThanOrEqual(1);
  });

  it('asks again when an answer does not come within a second', async () => {
    let asked = 0;
    const server = createHttpServer((_, response) => {
      asked += 1;
      if (asked > 1) response.end();
    });
    const url = `http://127.0.0.1:${String(await listening(server))}/`;
    expect(await waitUntilReady({ kind: 'http', url }, waiting())).toBe(true);
    expect(asked).toBe(2);
  });

  it('ends without passing when it is aborted', async () => {
    let asked = 0;
    const server = createHttpServer(() => (asked += 1));
    const url = `http://127.0.0.1:${String(await listening(server))}/`;
    const wait = waiting();
    const ready = waitUntilReady({ kind: 'http', url }, wait);
    await until('the request', () => asked > 0);
    wait.abort();
    expect(await ready).toBe(false);
  });
});

describe('waiting for a port', () => {
  it('passes once it is open', async () => {
    const first = createServer();
    const port = await listening(first);
    await new Promise((resolve) => first.close(resolve));
    const ready = waitUntilReady({ kind: 'tcp', host: '127.0.0.1', port }, waiting());
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    expect(await ready).toBe(true);
  });

  it('ends without passing when it is aborted', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const wait = waiting();
    const ready = waitUntilReady({ kind: 'tcp', host: '127.0.0.1', port }, wait);
    wait.abort();
    expect(await ready).toBe(false);
  });
});

describe('waiting for a command', () => {
  it('passes with the first exit code 0, in the environment of the term', async () => {
    const directory = workloadDirectory();
    const command = `[ "$FAILOVER_EPOCH" = 7 ] && echo x >> ${directory}/tries && [ $(wc -l < ${directory}/tries) = 3 ]`;
    const wait = { ...waiting(), environment: { FAILOVER_EPOCH: '7' } };
    expect(await waitUntilReady({ kind: 'exec', command }, wait)).toBe(true);
    expect(textOf(`${directory}/tries`)).toBe('x\nx\nx\n');
  });

  it('ends a command that takes longer than a second, and asks again', async () => {
    const directory = workloadDirectory();
    const command = `[ -f ${directory}/pid ] && exit 0; echo $$ > ${directory}/pid; sleep 100 & wait`;
    expect(await waitUntilReady({ kind: 'exec', command }, waiting())).toBe(true);
    const pid = await pidFrom(`${directory}/pid`);
    expect(lives(pid)).toBe(false);
  });

  it('ends the command, and what it started, when it is aborted', async () => {
    const directory = workloadDirectory();
    const wait = waiting();
    const command = `sleep 100 & echo $! > ${directory}/pid; wait`;
    const ready = waitUntilReady({ kind: 'exec', command }, wait);
    const pid = await pidFrom(`${directory}/pid`);
    wait.abort();
    expect(await ready).toBe(false);
    await until('its end', () => !lives(pid));
  });
});

describe('a workload that has to become ready', () => {
  it('is reported ready once, by a line of either stream', async () => {
    const { workload, heard } = await workloadOf(
      'echo starting; echo "listening on 80" >&2; echo "listening on 81"; exec sleep 100',
      { readyWhen: { kind: 'log', pattern: /^listening on \d+$/ } },
    );
    await workload.activate(TERM);
    await until('the report', () => heard.length > 0);
    await workload.stop(1_000);
    expect(heard).toEqual(['ready']);
  });

  it('is reported ready by a command that finds its file', async () => {
    const { workload, heard } = await workloadOf('echo > $D/up; exec sleep 100', {
      readyWhen: { kind: 'exec', command: 'test -f $FAILOVER_STATE_DIR/up' },
    });
    await workload.activate(TERM);
    await until('the report', () => heard.length > 0);
    expect(heard).toEqual(['ready']);
  });

  it('is never reported ready after it was stopped, or without a check', async () => {
    const { workload, heard, path } = await workloadOf('echo $$ > $D/pid; exec sleep 100', {
      readyWhen: { kind: 'exec', command: 'test -f $FAILOVER_STATE_DIR/up' },
    });
    await workload.activate(TERM);
    await pidFrom(path('pid'));
    await workload.stop(1_000);
    expect(heard).toEqual([]);
  });
});
