// Programs that nobody here wrote, in front of the proxy and behind it.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { lackOfProgram } from '../support/programs.ts';
import { until } from '../support/until.ts';
import { ask, startPrimary, startProxy } from './support/proxied.ts';

const run = promisify(execFile);

describe('curl', () => {
  const lack = lackOfProgram('curl');

  it.skipIf(lack !== null)(`uploads and downloads through a failover ${lack ?? ''}`, async () => {
    const handler: Parameters<typeof startPrimary>[2] = (incoming, response) => {
      incoming.pipe(response);
    };
    const first = await startPrimary('a', 1, handler);
    const { proxy, port, load } = await startProxy();
    proxy.listener.ready(first.term);
    const url = `http://127.0.0.1:${String(port)}/`;
    const directory = mkdtempSync(join(tmpdir(), 'failover-curl-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const file = join(directory, 'body');
    writeFileSync(file, 'x'.repeat(3_000_000));
    const upload = async (...more: readonly string[]): Promise<string> => {
      const { stdout } = await run('curl', [
        '-s',
        ...more,
        '-w',
        '%{http_code} %{size_download}',
        '-o',
        join(directory, 'out'),
        url,
      ]);
      return stdout;
    };
    // It waits for `100 Continue` with a body of that length.
    expect(await upload('-T', file)).toBe('200 3000000');
    expect(await upload('-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`)).toBe(
      '200 3000000',
    );
    expect(await upload('--http2', '-d', 'short')).toMatch(/^(?:200 5|501 )/);
    first.kill();
    proxy.listener.lost('its process is gone');
    const held = upload('-T', file);
    await until('it to be held', () => load()[0] === 1);
    proxy.listener.ready((await startPrimary('b', 2, handler)).term);
    expect(await held).toBe('200 3000000');
  });
});

describe('ab', () => {
  const lack = lackOfProgram('ab', '-V');

  it.skipIf(lack !== null)(
    `has all of its requests answered over a failover ${lack ?? ''}`,
    async () => {
      const first = await startPrimary('a', 1);
      const { proxy, port } = await startProxy();
      proxy.listener.ready(first.term);
      const url = `http://127.0.0.1:${String(port)}/`;
      const done = run('ab', ['-q', '-k', '-c', '16', '-n', '3000', url]);
      await until('some to be answered', () => proxy.report().counts.answered > 500);
      first.kill();
      proxy.listener.lost('its process is gone');
      await until('all of them to be held', () => proxy.report().held === 16);
      proxy.listener.ready((await startPrimary('b', 2)).term);
      const { stdout } = await done;
      expect(stdout).toMatch(/Complete requests:\s+3000\n/);
      expect(stdout).not.toContain('Non-2xx');
      expect(proxy.report().counts.refused.size).toBe(0);
    },
  );
});

describe('HAProxy', () => {
  const lack = lackOfProgram('haproxy', '-v');

  /** From a port to another. */
  async function startHaproxy(to: number): Promise<number> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'failover-haproxy-'));
    const file = join(directory, 'haproxy.cfg');
    const times = ['connect 3s', 'client 1m', 'server 1m'].map((time) => `  timeout ${time}\n`);
    const listen = `listen l\n  bind 127.0.0.1:${String(port)}\n  server s 127.0.0.1:${String(to)}\n`;
    writeFileSync(file, `global\n  maxconn 100\ndefaults\n  mode http\n${times.join('')}${listen}`);
    const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
    onTestFinished(() => {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    });
    // One at a time: one that is still under way would be held like those that the test sends.
    let [isUp, isAsked] = [false, false];
    await until('HAProxy to listen', () => {
      if (isUp || isAsked) return isUp;
      isAsked = true;
      void ask(port).then(({ status }) => ([isUp, isAsked] = [status !== 0, false]));
      return false;
    });
    return port;
  }

  it.skipIf(lack !== null)(`in front is answered, and held for ${lack ?? ''}`, async () => {
    const { proxy, port, load } = await startProxy();
    proxy.listener.ready((await startPrimary('a', 1)).term);
    const front = await startHaproxy(port);
    expect(await ask(front, { method: 'POST', body: 'hello' })).toMatchObject({ body: 'POST / 5' });
    await until('what asked whether it listens to be over', () => load()[1] === 0);
    proxy.listener.lost('its process is gone');
    const told = ask(front, { method: 'POST', body: 'hello' });
    await until('it to be held', () => load()[0] === 1);
    proxy.listener.ready((await startPrimary('b', 2)).term);
    expect(await told).toMatchObject({ status: 200, body: 'POST / 5' });
  });

  it.skipIf(lack !== null)(`behind is a primary like any other ${lack ?? ''}`, async () => {
    const primary = await startPrimary('a', 1);
    const behind = await startHaproxy(Number(new URL(primary.term.target).port));
    const { proxy, port } = await startProxy();
    proxy.listener.ready({ ...primary.term, target: `http://127.0.0.1:${String(behind)}` });
    const body = 'x'.repeat(200_000);
    expect(await ask(port, { method: 'POST', body })).toMatchObject({ body: 'POST / 200000' });
    primary.kill();
    // It answers 503 itself, and that is passed on: whether its server is there it alone knows.
    expect((await ask(port)).status).toBe(503);
  });
});
