// A program in TypeScript, compiled against the built package under the strictest settings.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

const PROGRAM = `
import { ERRORS, FailoverError, FailoverNode, Transport, Watcher, startNode } from 'failover-cli';
import type { Endpoints, ErrorCode, NodeStatus, Role, RoleChange, RunOptions, Takeover } from 'failover-cli';
import { HealthMonitor, HttpChecker, StateTracker, checkAddress, checkByCommand } from 'failover-cli';
import { StaticLeader, leaderFromEnvironment } from 'failover-cli';
import type { CheckResult, HealthCheck, HealthTarget } from 'failover-cli';

const backends = [{ id: 'a', address: { host: '::1', port: 80, path: '/health' }, weight: 3 }];
const weights: number[] = new StateTracker({ targets: backends, fall: 2 }).healthy().map((b) => b.weight);
const check: HealthCheck = async ({ address }, signal) => checkAddress(address, { signal, timeoutMs: 100 });
export async function watchHealth(targets: readonly HealthTarget[]): Promise<CheckResult> {
  await using monitor = new HealthMonitor({ targets, check, onChange: (up, { total }) => console.log(up, total) });
  monitor.start();
  await monitor.forceCheck();
  const { healthy, attempts } = await new HttpChecker({ retries: 0 }).checkWithRetry('http://a');
  console.log(weights, monitor.status()[0]?.result, healthy, attempts);
  const result = await checkByCommand('true');
  if (!result.healthy) console.log(result.reason, result.error);
  return result;
}

const watcher: Watcher = Watcher.secondary({
  group: 'web',
  heartbeatIntervalMs: 20,
  heartbeatTimeoutMs: 80,
  bus: new Transport({ directory: '/tmp/sockets' }),
  promote: async ({ epoch, previous, reason }, signal) => {
    const text: string = reason + String(epoch) + (previous ?? '');
    signal.addEventListener('abort', () => console.log(text));
  },
});
watcher.setPromoteCallback(async (): Promise<Endpoints | undefined> => undefined);
watcher.setPromoteCallback(null);
watcher.setProbePrimary(async (signal) => !signal.aborted);
watcher.setProbePrimary(async () => {});
watcher.on('role', (change: RoleChange) => {
  const to: Role = change.to;
  const takeover: Takeover | null = change.takeover;
  console.log(to, takeover?.gapMs);
});
const heard: Date | null = watcher.lastHeartbeat;
const status: NodeStatus | null = watcher.status();
const text: string = watcher.formatStatus();
console.log(heard, status?.lease.kind, text);

export async function main(): Promise<void> {
  await using scoped = Watcher.primary({ bus: null, signal: AbortSignal.timeout(1000) });
  await scoped.start();
  const { takeover } = await scoped.checkAndMaybeFailover();
  console.log(takeover);
  const node: FailoverNode = await startNode({ command: ['node', 'server.js'], priority: 1 });
  node.on('transition', ({ from, to }) => { console.log(from, to); });
  node.stop();
  await using leader = leaderFromEnvironment();
  await using named = new StaticLeader({ target: 'http://a' });
  console.log(leader.isLeader(), named.redirectTarget());
  const { exitCode } = await node.ended;
  const options: Pick<RunOptions, 'fence'> = { fence: 'kill' };
  const code: ErrorCode = 'FAILOVER_LEASE_HELD';
  const error = new FailoverError(code, 'x');
  console.log(exitCode, options, ERRORS[code].hint, error.code satisfies ErrorCode);
}
`;

const MISTAKES = [
  `Watcher.secondary({ heartbeatTimeout: 80 });`,
  `Watcher.secondary({ fence: 'maybe' });`,
  `Watcher.secondary({ promote: async () => 7 });`,
  `Watcher.secondary().on('roles', () => {});`,
  `new Watcher('primary', {});`,
  `Watcher.secondary().role = 'primary';`,
  `new HealthMonitor({ targets: [{ id: 'a' }] });`,
  `new HealthMonitor({ interval: 80 });`,
];

it('uses every public name, and each mistake is one for the compiler too', () => {
  const project = mkdtempSync(join(tmpdir(), 'failover-consumer-'));
  onTestFinished(() => {
    rmSync(project, { recursive: true, force: true });
  });
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
  symlinkSync(root, join(project, 'node_modules', 'failover-cli'));
  const types = join(root, 'node_modules', '@types', 'node');
  symlinkSync(types, join(project, 'node_modules', '@types', 'node'));
  const files = {
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify({ compilerOptions: OPTIONS, include: ['*.ts'] }),
    'program.ts': PROGRAM,
    'mistakes.ts': `import { HealthMonitor, Watcher } from 'failover-cli';\n${MISTAKES.join('\n')}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(project, name), content);
  }
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const { stdout } = spawnSync(
    process.execPath,
    [join(typescript, 'bin', 'tsc'), '-p', project, '--pretty', 'false'],
    { encoding: 'utf8', cwd: project },
  );
  const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
  const lines = errors.map((line) => /^mistakes\.ts\((\d+),/.exec(line)?.[1] ?? line);
  expect([...new Set(lines)]).toEqual(MISTAKES.map((_, index) => String(index + 2)));
}, 60_000);

const OPTIONS = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  noEmit: true,
  skipLibCheck: false,
};
