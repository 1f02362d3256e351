// `failover proxy` as a process: what it says, what it refuses, and how it ends.
import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, silence, startPrimary, startProxy } from '../proxy/support/proxied.ts';
import { ClientProcess, LAUNCHER } from '../support/process-node.ts';
import { until } from '../support/until.ts';

function launch(...args: readonly string[]): ClientProcess {
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, [LAUNCHER, 'proxy', ...args], { env });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return new ClientProcess(child);
}

/** One that goes to this target, and the port that it listens at. */
async function launched(
  target: string,
  ...args: readonly string[]
): Promise<{ readonly proxy: ClientProcess; readonly port: number }> {
  const proxy = launch('--listen', '127.0.0.1:0', '--to', target, ...args);
  const port = await until('it to listen', () =>
    proxy.stderr.includes('Forwarding to')
      ? /Listening at 127\.0\.0\.1:(\d+)/.exec(proxy.stderr)?.[1]
      : null,
  );
  return { proxy, port: Number(port) };
}

describe('a proxy of its own', () => {
  it('passes on what comes, says what it has done, and ends in order', async () => {
    const primary = await startPrimary('a', 1);
    const { proxy, port } = await launched(primary.term.target);
    expect(await ask(port)).toMatchObject({ status: 200, body: 'GET / 0' });
    process.kill(proxy.pid, 'SIGUSR2');
    await until('its counts', () => proxy.stderr.includes('Answered 1 of 1 requests'));
    process.kill(proxy.pid, 'SIGTERM');
    const { code, stdout, stderr } = await proxy.done;
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(
      'Got SIGTERM: shutting down gracefully (up to 10s for 0 in flight and 0 held)',
    );
    expect(stderr.match(/Answered 1 of 1 requests/g)).toHaveLength(2);
  });

  it('answers what is under way before it ends, and refuses what is held at the second signal', async () => {
    const primary = await startPrimary('a', 1, silence);
    const { proxy, port } = await launched(primary.term.target);
    const told = ask(port);
    await until('the request to arrive', () => primary.requests.length === 1);
    process.kill(proxy.pid, 'SIGINT');
    await until('its answer', () => proxy.stderr.includes('(up to 10s for 1 in flight'));
    expect(proxy.end).toBe(null);
    process.kill(proxy.pid, 'SIGINT');
    expect((await proxy.done).code).toBe(0);
    expect(await told).toMatchObject({ status: 503, headers: { 'x-failover-error': 'stopping' } });
  });

  it('says as one JSON object what it refuses, once for many', async () => {
    const { port: closed, proxy: ended } = await startProxy();
    await ended.destroy();
    const listen = ['--listen', '127.0.0.1:0', '--to', `http://127.0.0.1:${String(closed)}`];
    const proxy = launch(...listen, '--log-format', 'json', '--hold', '10ms');
    const port = Number(await until('it to listen', () => /"port":(\d+)/.exec(proxy.stderr)?.[1]));
    for (let asked = 0; asked < 3; asked += 1) {
      expect(await ask(port)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    }
    process.kill(proxy.pid, 'SIGTERM');
    const { stderr } = await proxy.done;
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const refused = lines.filter(({ event }) => event === 'refused');
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ level: 'warn', code: 'unreachable' });
    expect(lines.at(-1)).toMatchObject({ event: 'ended', refused: { unreachable: 3 } });
  });

  it('does not start where another listens', async () => {
    const { port } = await startProxy();
    const address = `127.0.0.1:${String(port)}`;
    const { code, stderr } = await launch('--listen', address, '--to', 'http://127.0.0.1:1').done;
    expect(code).toBe(1);
    expect(stderr).toBe(
      `failover: Cannot listen on ${address}: the address is in use\n` +
        'Stop the process that uses the address, or choose another address.\n',
    );
  });

  it.each([
    [['--to', 'http://a:1'], 'no listen address given'],
    [['--listen', 'nowhere', '--to', 'http://a:1'], 'Cannot use --listen: "nowhere"'],
    [['--listen', ':0', '--to', 'https://a:1'], 'is neither http:// nor tcp://'],
    [['--listen', ':0', '--to', 'http://u:secret@a:1'], 'http://***@a:1'],
    [['--listen', ':0', '--to', 'tcp://a:1'], '--mode http cannot forward to tcp://a:1'],
    [['--listen', ':0', '--to', 'http://a:1', '--hold-max-bytes', '5k'], '"5k" is not a size'],
    [['--listen', ':0', '--to', 'http://a:1', '--max-header-size', '10'], 'is less than 1KiB'],
  ])('refuses %j', async (args, fact) => {
    const { code, stderr } = await launch(...args).done;
    expect(code).toBe(2);
    expect(stderr).toContain(fact);
  });
});
