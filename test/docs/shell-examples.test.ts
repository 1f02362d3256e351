// The shell commands of the manual do what it says: they are run as they stand, but for ports, by `sh -e`.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lackOfPostgres, postgresPrograms } from '../contracts/support/postgres-server.ts';
import { ANOTHER_USER } from '../support/another-user.ts';
import { freePort } from '../support/free-port.ts';
import { lackOfProgram } from '../support/programs.ts';
import { codeBlocks, readPage, ROOT, runnablePart } from './support/pages.ts';

/** The longest a script may take, ms: each is over in a few seconds, also on a busy machine. */
const LIMIT_MS = 90_000;

const LAUNCHER = join(ROOT, 'bin', 'failover.js');

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fo-docs-'));
  mkdirSync(join(directory, 'bin'));
  const shim = join(directory, 'bin', 'failover');
  // The examples use the default state directory, which is not for tests.
  const words = `"${process.execPath}" "${LAUNCHER}" "$command" --state-dir "${directory}/state"`;
  // It is for no group, and takes no directory.
  const init = `[ "$command" = init ] && exec "${process.execPath}" "${LAUNCHER}" init "$@"`;
  writeFileSync(shim, `#!/bin/sh\ncommand=$1\nshift\n${init}\nexec ${words} "$@"\n`);
  chmodSync(shim, 0o755);
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

it('shows a group that hands over, as the README does', { timeout: 2 * LIMIT_MS }, async () => {
  const { code, output } = await runScript(shellOf('README.md'));
  expect(output).toContain('primary a  epoch 1');
  expect(output).toContain('c is primary at epoch 2');
  expect(output).toContain('"primary": "c"');
  const starts = [...output.matchAll(/^active under epoch (\d+)$/gm)].map(([, epoch]) => epoch);
  expect(starts.slice(0, 2)).toEqual(['1', '2']);
  expect(output).toContain('c has stopped.');
  expect(code).toBe(0);
});

it(
  'tells hot workers their role, as the page on them does',
  { timeout: 2 * LIMIT_MS },
  async () => {
    const worker = blocksOf('docs/hot-standby.md', 'js').join('\n');
    writeFileSync(join(directory, 'worker.mjs'), worker);
    const { code, output } = await runScript(shellOf('docs/hot-standby.md'));
    expect(output).toContain('b is primary at epoch 2');
    expect(output).toContain('a is secondary at epoch 2');
    expect(readFileSync(join(directory, 'a.role'), 'utf8')).toBe('secondary');
    expect(code).toBe(0);
  },
);

it(
  'answers a request when somebody serves, as the page on the proxy does',
  { timeout: 2 * LIMIT_MS },
  async ({ skip }) => {
    const lack = lackOfProgram('curl');
    if (lack !== null) skip(lack);
    const [listened, served] = [await freePort(), await freePort()];
    const script = shellOf('docs/proxy.md')
      .replaceAll('18080', String(listened))
      .replaceAll('13000', String(served));
    const { code, output } = await runScript(script);
    expect(output).toContain(`Listening at 127.0.0.1:${String(listened)}`);
    // On a busy machine the server can be there before the request is: then it is not held.
    expect(output).toContain('via: 1.1 failover');
    expect(output).toContain('\nserved\n');
    expect(output).toContain('Answered 1 of 1 requests');
    expect(code).toBe(0);
  },
);

it(
  'hands over from a node that does not serve, as the page on health does',
  { timeout: 2 * LIMIT_MS },
  async () => {
    const { code, output } = await runScript(shellOf('docs/health.md'));
    expect(output).toContain('stepping down for a healthy node');
    expect(output).toContain('primary b  epoch 2');
    expect(code).toBe(0);
  },
);

it(
  'tells whoever asks over HTTP who leads, as the page on load balancers does',
  { timeout: 2 * LIMIT_MS },
  async ({ skip }) => {
    const lack = lackOfProgram('curl');
    if (lack !== null) skip(lack);
    const [one, two] = [await freePort(), await freePort()];
    const script = shellOf('docs/load-balancers.md')
      .replaceAll('18001', String(one))
      .replaceAll('18002', String(two));
    const { code, output } = await runScript(script);
    const [statuses, asked] = [/^HTTP\/1\.1 (\d{3})/gm, /"node":"(\w)","role"/g].map((form) =>
      [...output.matchAll(form)].map(([, found]) => found),
    );
    expect([statuses, asked]).toEqual([
      ['200', '503', '200'],
      ['a', 'b', 'b'],
    ]);
    expect(code).toBe(0);
  },
);

it(
  'holds a request while a service starts again, as the page on a service does',
  { timeout: 2 * LIMIT_MS },
  async ({ skip }) => {
    const lack = lackOfProgram('curl');
    if (lack !== null) skip(lack);
    const page = 'docs/example-node-service.md';
    writeFileSync(join(directory, 'service.mjs'), blocksOf(page, 'js').join('\n'));
    const { code, output } = await runScript(
      await withOwnPorts(shellOf(page), ['13001', '13002', '18088']),
    );
    expect(output).toContain('served by a under epoch 1');
    expect(output).toContain('served by b under epoch 2');
    expect(output).toContain('primary b  epoch 2');
    expect(code).toBe(0);
  },
);

it(
  'answers each message once, as the page on a bot does',
  { timeout: 2 * LIMIT_MS },
  async ({ skip }) => {
    const lack = lackOfProgram('python3');
    if (lack !== null) skip(lack);
    const page = 'docs/example-python-bot.md';
    writeFileSync(join(directory, 'bot.py'), blocksOf(page, 'python').join('\n'));
    const { code, output } = await runScript(shellOf(page));
    expect(output).toContain('answered under epochs 1 2\n');
    expect(code).toBe(0);
  },
);

it(
  'promotes a standby and copies the one that led, as the page on PostgreSQL does',
  { timeout: 2 * LIMIT_MS },
  async ({ skip }) => {
    const lack = offerPostgres();
    if (lack !== null) skip(lack);
    const page = 'docs/example-postgresql.md';
    writeFileSync(join(directory, 'server.sh'), blocksOf(page, 'bash').join('\n'));
    const { code, output } = await runScript(await withOwnPorts(shellOf(page), ['15432', '15433']));
    expect(output).toContain('b is primary at epoch 2');
    expect(output).toMatch(/ of a *\n of b *\n of a again *\n/);
    expect(code).toBe(0);
  },
);

it(
  'shows one group and all of them, as the page on status does',
  { timeout: 2 * LIMIT_MS },
  async () => {
    const { code, output } = await runScript(shellOf('docs/status.md'));
    expect(output).toContain('web  primary a  epoch 1');
    expect(output).toMatch(/^GROUP +PRIMARY +EPOCH +NODES.*\napi +a +1 +1 .*\nweb +a +1 +2 /m);
    expect(output).toContain('2 groups: 2 with a primary');
    expect(output).toContain('"groups": [');
    expect(code).toBe(0);
  },
);

it('tells a switchover, as the page on events does', { timeout: 2 * LIMIT_MS }, async () => {
  const { code, output } = await runScript(shellOf('docs/events.md'));
  expect(output).toMatch(/^epoch 1 {2}start a \(lease after /m);
  expect(output).toMatch(/^epoch 2 {2}switchover a → b, .* without a workload/m);
  expect(output).toContain('"claims": [');
  expect(code).toBe(0);
});

it(
  'tells of the group over HTTP, and changes it, as the page on that does',
  { timeout: 2 * LIMIT_MS },
  async ({ skip }) => {
    const lack = lackOfProgram('curl');
    if (lack !== null) skip(lack);
    const script = shellOf('docs/http.md').replaceAll('18001', String(await freePort()));
    const { code, output } = await runScript(script);
    const answers = output.split('\n').filter((line) => line.startsWith('{'));
    expect(answers.map((line) => Object.keys(JSON.parse(line) as object)[1])).toEqual([
      ...['group', 'groups', 'group', 'group', 'info'],
      ...Array<string>(4).fill('ok'),
    ]);
    expect(output).toMatch(
      /^event: transition\ndata: \{"group":"web","node":"a",.*"to":"serving"/m,
    );
    expect(output).toContain('"said":["b is primary at epoch 2: ');
    expect(output).toContain('"said":["Group web is paused: b stays primary, ');
    expect(output).toContain('"said":["Group web is resumed. ');
    expect(output).toMatch(/"said":\["b has stepped down and [^"]+","a is primary at epoch 3\."\]/);
    expect(code).toBe(0);
  },
);

it('prints a unit that systemd takes, as the page on it does', async ({ skip }) => {
  const lack = lackOfProgram('systemd-analyze');
  if (lack !== null) skip(lack);
  const { code, output } = await runScript(shellOf('docs/systemd.md'));
  expect(output).not.toContain('failover-web.service:');
  expect(code).toBe(0);
});

it('is the first process of its pid namespace, as the page on containers says', async ({
  skip,
}) => {
  const isAllowed = spawnSync('unshare', ['--fork', '--pid', '--mount-proc', 'true']).status === 0;
  if (!isAllowed) skip('no pid namespace can be made here');
  const { code, output } = await runScript(shellOf('docs/containers.md'));
  // Node 24 names its first thread so.
  expect(output).toMatch(/^ +1 +0 S\S* +(node|MainThread)/m);
  // It collects what it has started, and nobody else's.
  expect(output).toMatch(/^ +\d+ +1 Z\S* +sleep/m);
  expect(output).toContain('Got SIGTERM: shutting down gracefully');
  expect(output).toContain('Exited with code 0');
  expect(code).toBe(0);
});

it(
  'runs the groups of a file, and reads it again, as the page on that does',
  { timeout: 2 * LIMIT_MS },
  async () => {
    const { code, output } = await runScript(shellOf('docs/up.md'));
    expect(output).toContain('failover.yaml is valid: 2 groups');
    expect(output).toContain('Reloaded groups.yaml: starting watch, stopping clock');
    expect(output).toContain('ticker | tick of epoch 1');
    expect(output).toContain('ticker  primary');
    expect(code).toBe(0);
  },
);

it('runs the demo with the first command of the README', { timeout: 2 * LIMIT_MS }, async () => {
  const [quick = ''] = codeBlocks(readPage('README.md').text).map(({ code }) => code);
  // What comes before is what brought this test here.
  const last = quick.split('&&').at(-1)?.trim() ?? '';
  expect(last).toBe('node bin/failover.js demo');
  const { code, output } = await runScript(last, ROOT);
  expect(output).toContain('and never twice at once');
  expect(code).toBe(0);
});

/** Puts the server's programs beside `failover`, as another user where we are root: as root it does not run. */
function offerPostgres(): string | null {
  const lack = lackOfPostgres();
  const place = postgresPrograms();
  if (lack !== null || place === null) return lack ?? 'PostgreSQL is not installed';
  const user = String(ANOTHER_USER);
  const as =
    process.getuid?.() === 0 ? `setpriv --reuid ${user} --regid ${user} --clear-groups ` : '';
  for (const name of ['initdb', 'pg_basebackup', 'pg_ctl', 'pg_isready', 'postgres', 'psql']) {
    const shim = join(directory, 'bin', name);
    writeFileSync(shim, `#!/bin/sh\nexec ${as}"${place}/${name}" "$@"\n`);
    chmodSync(shim, 0o755);
  }
  chmodSync(directory, 0o777);
  return null;
}

/** Not the ports of the page: another run of these tests may have them, or whoever works here. */
async function withOwnPorts(script: string, ports: readonly string[]): Promise<string> {
  let own = script;
  for (const port of ports) own = own.replaceAll(port, String(await freePort()));
  return own;
}

function blocksOf(path: string, language: string): readonly string[] {
  return codeBlocks(runnablePart(readPage(path)))
    .filter((block) => block.language === language)
    .map(({ code }) => code);
}

/** The commands of a page, and then the wait for what was started in the background. */
function shellOf(path: string): string {
  return `${blocksOf(path, 'sh').join('\n')}\nwait\n`;
}

interface ScriptResult {
  readonly code: number | null;
  /** Of stdout and stderr, in the order of arrival. */
  readonly output: string;
}

function runScript(script: string, cwd = directory): Promise<ScriptResult> {
  const PATH = [join(directory, 'bin'), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn('sh', ['-e', '-c', script], {
    cwd,
    detached: true,
    env: { ...process.env, PATH, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const endGroup = (): void => {
    try {
      // The nodes are in the group of the script; what they started ends with them.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  };
  const timer = setTimeout(endGroup, LIMIT_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // A script that fails leaves its nodes: they keep the pipes open.
    child.on('exit', endGroup);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}
