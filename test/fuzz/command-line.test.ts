// Arguments and variables bent in every way: a command gets options that hold, or a user reads what is wrong.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { RunOptions } from '../../src/config/load.ts';
import { OPTIONS, PROXY_OPTIONS, UP_OPTIONS } from '../../src/config/options.ts';
import { isName } from '../../src/transport/checks.ts';
import { UNPRINTABLE, corpus, draws, expectPrototypesClean, expectSeen } from './support/fuzz.ts';
import { oddText } from './support/odd.ts';

const { called, stub } = vi.hoisted(() => {
  const log = vi.fn<(name: string, options: unknown) => void>();
  return {
    called: log,
    /** What a command would do is left out: only that it was called, and with what. */
    stub: (name: string) => (options: unknown) => {
      log(name, options);
      return Promise.resolve();
    },
  };
});

vi.mock('../../src/cli/commands/run.ts', () => ({ run: stub('run') }));
vi.mock('../../src/cli/commands/up.ts', () => ({ up: stub('up'), check: stub('up') }));
vi.mock('../../src/cli/commands/init.ts', () => ({
  init: stub('init'),
  printSchema: stub('init'),
}));
vi.mock('../../src/cli/commands/status.ts', () => ({ status: stub('status') }));
vi.mock('../../src/cli/commands/events.ts', () => ({ events: stub('events') }));
vi.mock('../../src/cli/commands/wait.ts', () => ({ waitFor: stub('wait') }));
vi.mock('../../src/cli/commands/promote.ts', () => ({ promote: stub('promote') }));
vi.mock('../../src/cli/commands/demote.ts', () => ({ demote: stub('demote') }));
vi.mock('../../src/cli/commands/pause.ts', () => ({ pause: stub('pause') }));
vi.mock('../../src/cli/commands/resume.ts', () => ({ resume: stub('resume') }));
vi.mock('../../src/cli/commands/stop.ts', () => ({ stop: stub('stop') }));
vi.mock('../../src/cli/commands/check.ts', () => ({ check: stub('check') }));
vi.mock('../../src/cli/commands/demo.ts', () => ({ demo: stub('demo') }));
vi.mock('../../src/cli/commands/simulate.ts', () => ({ simulate: stub('simulate') }));
vi.mock('../../src/cli/commands/drill.ts', () => ({ drill: stub('drill') }));
vi.mock('../../src/cli/commands/proxy.ts', () => ({ proxy: stub('proxy') }));
vi.mock('../../src/cli/commands/keygen.ts', () => ({ keygen: stub('keygen') }));
vi.mock('../../src/cli/commands/dashboard.ts', () => ({ dashboard: stub('dashboard') }));
vi.mock('../../src/cli/commands/doctor.ts', () => ({ doctor: stub('doctor') }));
vi.mock('../../src/cli/commands/systemd.ts', () => ({
  systemd: stub('systemd'),
  unitFlags: () => ({}),
}));
vi.mock('../../src/cli/commands/explain.ts', () => ({ explain: stub('explain') }));

let stderr = '';

// One process is many here, and each watches its output to its end: that would be warned of on stderr.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);

beforeEach(() => {
  for (const { variable } of OPTIONS) vi.stubEnv(variable, undefined);
  vi.stubEnv('FAILOVER_DEBUG', undefined);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

const durationLike = fc.oneof(
  fc.constantFrom('0', '1ms', '10ms', '500ms', '2s', '1m30s', '168h', '169h', '720h', '8760h'),
  fc.constantFrom('1e3ms', '-1s', '1.5s', '2s\n', '9'.repeat(400), `${'9'.repeat(400)}ms`, '٣s'),
  fc.constantFrom('1s..30s', '30s..1s', '1s..', '..', '1s..2s..3s'),
);
const readyLike = fc.constantFrom(
  'http://127.0.0.1:1/x',
  'http://',
  'http://[',
  'tcp://h:0',
  'tcp://[::1]:80',
  'tcp://*:*',
  'tcp://10.0.0.5:7400',
  'db1.example:7400',
  'tcp://h:99999999999999999999',
  'exec:',
  'exec:true',
  'log:/up/',
  'log:/(/',
  'log:/a/gy',
  `log:/${'('.repeat(2000)}/`,
);
const value = fc.oneof(
  { weight: 3, arbitrary: durationLike },
  { weight: 2, arbitrary: readyLike },
  { weight: 3, arbitrary: oddText },
  fc.constantFrom('auto', 'primary', 'secondary', 'hot', 'armed', 'file', 'etcd://x', 'kill'),
  fc.constantFrom('peers', 'http://h:1,http://h:2', 'https://h', 'http://h/x', 'http://u:p@h'),
  fc.constantFrom('always', 'never', 'json', 'SIGUSR1', 'kill', 'SIG__proto__', 'constructor'),
  fc.constantFrom('0', '1', '-1', '1000001', '9'.repeat(400), '0x10', '1e3', 'true', 'yes'),
);
const flag = fc.constantFrom(
  ...[...OPTIONS, ...PROXY_OPTIONS, ...UP_OPTIONS].flatMap(({ flag: long, short }) =>
    short === undefined ? [long] : [long, short],
  ),
  ...['--timeout', '--hold', '--json', '--watch', '--force', '--seed', '--replay', '--help'],
  ...['--__proto__', '--constructor', '--no-group', '--group=', '-', '--', '-gx', '-g-x'],
);
const command = fc.constantFrom(
  ...createProgram().commands.map((known) => known.name()),
  ...['run', 'run', 'run', 'help', '__proto__', 'constructor', 'toString', ''],
);
const words = fc
  .tuple(
    command,
    fc.array(fc.oneof(fc.tuple(flag, value), fc.tuple(flag), fc.tuple(value)), { maxLength: 5 }),
    fc.constantFrom([], ['--', 'true'], ['--', 'sh', '-c', '--group'], ['true']),
  )
  .map(([name, options, rest]) => [name, ...options.flat(), ...rest]);
const variables = fc.array(
  fc.tuple(
    fc.constantFrom(...OPTIONS.map(({ variable }) => variable)),
    // The system takes no other text as a variable's value.
    value.map((text) => text.replaceAll('\0', '')),
  ),
  { maxLength: 3 },
);

describe('a command line', () => {
  it.each(corpus('command-line'))('$name', async ({ name, text }) => {
    const { args, env = {} } = JSON.parse(text) as {
      args: string[];
      env?: Record<string, string>;
    };
    expect(await judge(args, Object.entries(env))).toBe(name.split('~')[0]);
  });

  it('gives a command options that hold, or is refused in two lines', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(words, variables, async (args, env) => {
        seen.add(await judge(args, env));
      }),
      draws(400),
    );
    expectPrototypesClean();
    expectSeen(seen, ['help', 'refused', 'taken']);
  });

  it('with one odd value of one option of run is taken or names the option', async () => {
    const seen = new Set<string>();
    const drawn = fc.constantFrom(...OPTIONS).chain((option) => {
      const good = option.default ?? EXAMPLES[option.key] ?? 'x';
      return fc.tuple(fc.constant(option), fc.oneof(value, fc.constant(good)));
    });
    const before = ['run', '--standby', 'hot', '--promote-command', 'true'];
    await fc.assert(
      fc.asyncProperty(drawn, async ([{ flag: name, kind }, text]) => {
        const words = kind === 'boolean' ? [name] : [`${name}=${text}`];
        const needed = name.startsWith('--lease-') ? ON_SERVER : (NEEDED[name] ?? []);
        const outcome = await judge([...before, ...needed, ...words, '--', 'true'], []);
        if (outcome === 'refused') expect(stderr).toContain(name);
        if (outcome === 'taken') seen.add(name);
      }),
      draws(1_200),
    );
    expectSeen(
      seen,
      OPTIONS.map(({ flag: name }) => name),
    );
  });
});

const ON_SERVER = ['--lease', 'redis://localhost'];
const OVER_TCP = [...ON_SERVER, '--bind', 'tcp://127.0.0.1:7400'];

const CHECKED = ['--health', 'exec:true'];

const AMONG_PEERS = ['--lease', 'peers', '--secret-file', 's'];

/** What an option is of no use without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  '--advertise': [...OVER_TCP, '--insecure'],
  '--key-file': OVER_TCP,
  '--authorized-keys': [...OVER_TCP, '--key-file', 'k'],
  '--insecure': OVER_TCP,
  ...Object.fromEntries(
    ['interval', 'timeout', 'fast-interval', 'grace'].map((time) => [`--health-${time}`, CHECKED]),
  ),
  '--standby-health': ['--standby', 'cold'],
  '--fall': CHECKED,
  '--rise': CHECKED,
  '--preempt': ['--strategy', 'priority'],
  '--http-token-file': ['--http', '8008'],
  '--peers': AMONG_PEERS,
  '--peer-address': [...AMONG_PEERS, '--peers', 'http://h:1'],
};

/** A value of each option that has no default and takes not every word. */
const EXAMPLES: Readonly<Record<string, string>> = {
  promoteSignal: 'SIGUSR1',
  demoteSignal: 'usr2',
  readyWhen: 'exec:true',
  health: 'exec:true',
  standbyHealth: 'tcp://h:1',
  healthFastInterval: '100ms',
  peers: 'http://h:1,http://h:2',
  peerAddress: 'http://h:1',
  target: 'tcp://h:1',
  proxy: ':1',
  http: '8008',
  leaseTtl: '10s',
  leaseTick: '100ms',
  leaseRequestTimeout: '100ms',
  leaseMaxDrift: '2s',
};

/** What becomes of a command line. */
async function judge(
  args: readonly string[],
  env: readonly (readonly [string, string])[],
): Promise<string> {
  stderr = '';
  called.mockClear();
  process.exitCode = undefined;
  for (const { variable } of OPTIONS) vi.stubEnv(variable, undefined);
  for (const [variable, text] of env) vi.stubEnv(variable, text);
  await main(['node', 'failover', ...args]);
  const [name, options] = called.mock.lastCall ?? [];
  if (name !== undefined) {
    expect([stderr, process.exitCode]).toEqual(['', undefined]);
    expectToHold(options);
    return 'taken';
  }
  // What the program has set by now.
  const exitCode = (): unknown => process.exitCode;
  if (exitCode() === undefined || stderr.includes('Commands:')) return 'help';
  expect(exitCode()).toBe(2);
  expect(stderr).toMatch(/^failover: .+\n.+\n$/);
  expect(stderr).not.toContain('Unexpected');
  expect(stderr).not.toMatch(UNPRINTABLE);
  expect(stderr.length).toBeLessThan(6000);
  return 'refused';
}

/** What every reader of options relies on. */
function expectToHold(options: unknown): void {
  // Options are plain values by name; demo has none.
  const given = (options ?? {}) as Partial<RunOptions> & Readonly<Record<string, unknown>>;
  for (const key of ['group', 'node']) {
    const text = given[key] ?? 'x';
    expect(isName(text) && text.length <= 64, key).toBe(true);
  }
  for (const [key, set] of Object.entries(given)) {
    if (key === 'replay' || key === 'save') continue;
    if (typeof set === 'string') expect(set, key).not.toContain('\0');
    if (!key.endsWith('Ms') || set === null) continue;
    // Longer ones are no time that a timer can wait.
    expect(set, key).toBeGreaterThanOrEqual(0);
    expect(set, key).toBeLessThanOrEqual(7 * 24 * 3_600_000);
    expect(Number.isInteger(set), key).toBe(true);
  }
  const { heartbeatIntervalMs, heartbeatTimeoutMs } = given;
  if (heartbeatIntervalMs === undefined || heartbeatTimeoutMs === undefined) return;
  expect(heartbeatTimeoutMs).toBeGreaterThanOrEqual(2 * heartbeatIntervalMs);
  const { retryBackoffMinMs = 0, retryBackoffMaxMs = 0, standby, command: run = [] } = given;
  expect(retryBackoffMaxMs).toBeGreaterThanOrEqual(retryBackoffMinMs);
  expect(run.length > 0 || (standby === 'cold' && given.promoteCommand !== null)).toBe(true);
  if (standby !== 'hot') expect([given.promoteSignal, given.demoteSignal]).toEqual([null, null]);
}
