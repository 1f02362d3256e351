// Settings of `run`: defaults, precedence, each value's limits, relations and outputs that stay unread.
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadClientOptions, loadRunOptions } from '../../src/config/load.ts';
import type { RunOptions } from '../../src/config/load.ts';
import { defaultStateDir } from '../../src/config/state-dir.ts';
import { OPTIONS, OUTPUT_VARIABLES } from '../../src/config/options.ts';
import { timedDirectory } from '../../src/lease/timed-file/timed-paths.ts';
import { temporaryDirectory } from '../lease/support/fixtures.ts';
import { failureOf } from '../support/failover-error.ts';

const command = ['node', 'server.js'];

function load(flags: Record<string, unknown> = {}, env: Record<string, string> = {}): RunOptions {
  return loadRunOptions({ flags, env, command });
}

describe('loadRunOptions', () => {
  it('takes the state directory for one that machines share, where its lease has a time to live', () => {
    const shared = load({ stateDir: '/mnt/share', leaseTtl: '3s' });
    expect(shared).toMatchObject({ lease: 'file:/mnt/share', leaseTtlMs: 3_000 });
    // What is of this machine alone is elsewhere, for each such directory by itself.
    const others = [{ stateDir: '/mnt/other' }, {}].map((some) =>
      load({ ...some, leaseTtl: '3s' }),
    );
    const own = [shared, ...others].map(({ stateDir }) => stateDir);
    expect(new Set([...own, '/mnt/share', '/mnt/other', defaultStateDir()]).size).toBe(6);
    expect(load({ lease: 'file:/mnt/share', leaseTtl: '3s', stateDir: '/s' }).stateDir).toBe('/s');
  });

  it('takes one spelling of where the command is reached, and refuses what is no such place', () => {
    expect(load({ target: 'http://127.0.0.1:3000/' }).target).toBe('http://127.0.0.1:3000');
    expect(load({ target: 'tcp://[::1]:5432' }).target).toBe('tcp://[::1]:5432');
    for (const target of ['127.0.0.1:3000', 'http://h/path', 'https://h:1', 'tcp://h']) {
      expect(failureOf(() => load({ target }))).toMatchObject({ code: 'FAILOVER_BAD_OPTION' });
    }
  });

  it('has a default for everything', () => {
    expect(load()).toEqual({
      group: 'default',
      node: null,
      role: 'auto',
      stateDir: null,
      strategy: 'race',
      priority: 100,
      preempt: false,
      standby: 'cold',
      promoteCommand: null,
      demoteCommand: null,
      promoteSignal: null,
      demoteSignal: null,
      readyWhen: null,
      health: null,
      standbyHealth: null,
      fall: 3,
      rise: 2,
      healthIntervalMs: 2_000,
      healthTimeoutMs: 1_000,
      healthFastIntervalMs: null,
      healthGraceMs: 10_000,
      lease: 'file',
      fence: 'kill',
      orphan: 'stop',
      restart: 'always',
      restartLimit: 3,
      probeAttempts: 2,
      exitOnDemote: false,
      bind: 'ipc',
      advertise: null,
      target: null,
      proxy: null,
      http: null,
      httpTokenFile: null,
      keyFile: null,
      authorizedKeys: null,
      insecure: false,
      secretFile: null,
      peers: null,
      peerAddress: null,
      logFormat: 'pretty',
      quiet: false,
      command,
      heartbeatIntervalMs: 500,
      heartbeatTimeoutMs: 2000,
      probeIntervalMs: 5000,
      probeTimeoutMs: 500,
      retryBackoffMinMs: 1000,
      retryBackoffMaxMs: 30_000,
      readyTimeoutMs: 30_000,
      promoteTimeoutMs: 30_000,
      demoteTimeoutMs: 10_000,
      stopGraceMs: 10_000,
      fenceGraceMs: 5000,
      drainMs: 0,
      successorWindowMs: 2000,
      restartWindowMs: 60_000,
      coolOffMs: 30_000,
      priorityWindowMs: 1000,
      preemptDelayMs: 30_000,
      leaseTtlMs: null,
      leaseTickMs: null,
      leaseRequestTimeoutMs: null,
      leaseMaxDriftMs: null,
    });
  });

  it('takes a lease on a server, with its times', () => {
    const flags = { lease: 'redis://user:hush@localhost/1', leaseTtl: '10s', leaseTick: '1s' };
    expect(load(flags)).toMatchObject({
      lease: flags.lease,
      leaseTtlMs: 10_000,
      leaseTickMs: 1_000,
    });
  });

  it('takes a lease of the nodes themselves, with its times, and without `--strategy priority`', () => {
    const peers = { lease: 'peers', peers: 'http://a:7400, http://b:7400', secretFile: '/s' };
    const given = { ...peers, peerAddress: 'http://a:7400/', preempt: true, leaseTtl: '6s' };
    expect(load(given)).toMatchObject({
      ...peers,
      peerAddress: 'http://a:7400',
      leaseTtlMs: 6_000,
    });
  });

  it('takes race for peers where nobody has said it: it is the default', () => {
    const peers = { lease: 'peers', peers: 'http://a:7400', secretFile: '/s' };
    expect(load(peers).strategy).toBe('race');
    expect(load({ ...peers, strategy: 'priority' }).strategy).toBe('priority');
    const { message, hint } = failureOf(() => load(peers, { FAILOVER_STRATEGY: 'race' }));
    expect(message).toContain('which excludes FAILOVER_STRATEGY=race');
    expect(hint).toContain('Omit --strategy');
  });

  it('leaves the variable that programs read as well to them, where its own lease is another', () => {
    const env = { FAILOVER_PEERS: 'http://a:1', FAILOVER_SECRET_FILE: '/s' };
    expect(load({}, env).peers).toBeNull();
    expect(load({ lease: 'peers' }, env).peers).toBe('http://a:1');
  });

  it.each([
    [{ peers: 'http://a:1,ftp://b' }, '--peers: "ftp://b" is neither http nor https'],
    [{ peers: 'http://a:1,http://b:0' }, '--peers: "http://b:0" has no port to connect to'],
    [{ peerAddress: 'http://a:0' }, '--peer-address: "http://a:0" has no port to connect to'],
    [
      { peerAddress: 'https://a' },
      '--peer-address: "https://a" uses https, but this node serves http',
    ],
    [
      { peerAddress: 'http://a/x' },
      '--peer-address: "http://a/x" has a path, but this node listens',
    ],
  ])('refuses an address that is none of a peer: %j', (flags, message) => {
    expect(failureOf(() => load(flags)).message).toContain(message);
  });

  it('takes a flag before the environment, and the environment before the default', () => {
    const env = { FAILOVER_HEARTBEAT_INTERVAL: '100ms', FAILOVER_STANDBY: 'armed' };
    expect(load({ heartbeatInterval: '50ms' }, env)).toMatchObject({
      heartbeatIntervalMs: 50,
      standby: 'armed',
    });
  });

  it('takes every flag', () => {
    const options = load({
      group: 'web',
      node: 'a',
      role: 'secondary',
      stateDir: '/s',
      standby: 'hot',
      promoteCommand: 'up',
      demoteCommand: 'down',
      promoteSignal: 'usr1',
      demoteSignal: 'SIGUSR2',
      readyWhen: 'tcp://localhost:80',
      fence: 'none',
      orphan: 'keep',
      restart: 'never',
      retryBackoff: '10ms..1m30s',
      exitOnDemote: true,
      quiet: true,
      logFormat: 'json',
    });
    expect(options).toMatchObject({
      group: 'web',
      node: 'a',
      role: 'secondary',
      stateDir: '/s',
      standby: 'hot',
      promoteCommand: 'up',
      demoteCommand: 'down',
      promoteSignal: 'SIGUSR1',
      demoteSignal: 'SIGUSR2',
      readyWhen: 'tcp://localhost:80',
      fence: 'none',
      orphan: 'keep',
      restart: 'never',
      retryBackoffMinMs: 10,
      retryBackoffMaxMs: 90_000,
      exitOnDemote: true,
      quiet: true,
      logFormat: 'json',
    });
  });

  it.each(['1', 'true', 'YES', 'on'])('reads %s in the environment as true', (text) => {
    expect(load({}, { FAILOVER_QUIET: text }).quiet).toBe(true);
  });

  it.each(['0', 'false', 'no', 'OFF', ''])('reads %j in the environment as false', (text) => {
    expect(load({}, { FAILOVER_QUIET: text }).quiet).toBe(false);
  });

  it('reads neither what a workload is told nor the group and directory of its parent', () => {
    const names = [...OUTPUT_VARIABLES, 'FAILOVER_GROUP', 'FAILOVER_STATE_DIR'];
    const env = Object.fromEntries(names.map((name) => [name, 'primary']));
    expect(load({}, env)).toEqual(load());
  });

  it('reads the variable of every other option', () => {
    for (const option of OPTIONS.filter((candidate) => candidate.variableReadBy.includes('run'))) {
      const error = failureOf(() => load({}, { [option.variable]: ' ' }));
      expect(error.message).toContain(option.variable);
    }
  });
});

describe('a value that an option can not take', () => {
  it.each<[flags: Record<string, unknown>, message: string, hint: string]>([
    [
      { heartbeatInterval: '5ms' },
      'Cannot use --heartbeat-interval: "5ms" is shorter than 10ms',
      'Give --heartbeat-interval a duration of at least 10ms.',
    ],
    [
      { stopGrace: '200h' },
      'Cannot use --stop-grace: "200h" is longer than 168h',
      'Give --stop-grace a duration of at most 168h.',
    ],
    [
      { drain: '5' },
      'Cannot use --drain: "5" is not a duration',
      'Give --drain a duration: 250ms, 2s, 1m30s, 1h or 0.',
    ],
    [
      { probeAttempts: '0' },
      'Cannot use --probe-attempts: "0" is less than 1',
      'Give --probe-attempts a whole number from 1 to 100.',
    ],
    [
      { restartLimit: '1001' },
      'Cannot use --restart-limit: "1001" is more than 1000',
      'Give --restart-limit a whole number from 0 to 1000.',
    ],
    [
      { priority: '1.5' },
      'Cannot use --priority: "1.5" is not a whole number',
      'Give --priority a whole number from 0 to 1000000.',
    ],
    [
      { standby: 'warm' },
      'Cannot use --standby: "warm" is not a valid value',
      'Give --standby one of cold, armed, hot.',
    ],
    [
      { lease: 'memcached://user:hush@localhost' },
      'Cannot use --lease: "memcached://***@localhost" is not a lease that this version supports',
      'Give --lease `file`, `static:NODE`, `peers`, `redis://HOST:PORT`, `etcd://HOST:PORT`, encrypted `rediss://` and `etcds://`, or `postgres://HOST:PORT/DATABASE`.',
    ],
    [
      { lease: 'redis://h', leaseTtl: '99ms' },
      'Cannot use --lease-ttl: "99ms" is shorter than 100ms',
      'Give --lease-ttl a duration of at least 100ms.',
    ],
    [
      { bind: 'udp://0.0.0.0:1' },
      'Cannot use --bind: "udp://0.0.0.0:1" is not an address to listen on',
      'Give --bind `ipc` or tcp://ADDRESS:PORT, such as tcp://10.0.0.5:7400 or tcp://[::1]:7400.',
    ],
    [
      { promoteSignal: 'SIGNOPE' },
      'Cannot use --promote-signal: "SIGNOPE" is no signal',
      'Give --promote-signal a signal, such as SIGUSR1.',
    ],
    [
      { demoteSignal: 'KILL' },
      'Cannot use --demote-signal: "KILL" cannot be handled by a process',
      'Give --demote-signal a signal, such as SIGUSR1.',
    ],
    [
      { retryBackoff: '1s' },
      'Cannot use --retry-backoff: "1s" is not a range',
      'Give --retry-backoff two durations, such as 1s..30s.',
    ],
    [
      { retryBackoff: '1s..2s..3s' },
      'Cannot use --retry-backoff: "1s..2s..3s" is not a range',
      'Give --retry-backoff two durations, such as 1s..30s.',
    ],
    [
      { retryBackoff: '30s..1s' },
      'Cannot use --retry-backoff: "30s..1s" starts with the longer one',
      'Give --retry-backoff the shorter one first.',
    ],
    [
      { retryBackoff: '1s..30' },
      'Cannot use --retry-backoff: "30" is not a duration',
      'Give --retry-backoff a duration: 250ms, 2s, 1m30s, 1h or 0.',
    ],
    [
      { promoteCommand: ' ' },
      'Cannot use --promote-command: " " is empty',
      'Give --promote-command a value.',
    ],
    [
      { stateDir: 'a\0b' },
      'Cannot use --state-dir: "a\0b" has a NUL character',
      'Give --state-dir a string without NUL.',
    ],
  ])('%j is refused by name, with the fact and what to do', (flags, message, hint) => {
    expect(failureOf(() => load(flags))).toMatchObject({
      code: 'FAILOVER_BAD_OPTION',
      exitCode: 2,
      message,
      hint,
    });
  });

  it('is named by its variable when it came from the environment', () => {
    expect(failureOf(() => load({}, { FAILOVER_QUIET: 'maybe' }))).toMatchObject({
      message: 'Cannot use FAILOVER_QUIET: "maybe" is neither true nor false',
      hint: 'Give FAILOVER_QUIET true or false.',
    });
  });

  it('is cut in the message when it is very long', () => {
    const { message } = failureOf(() => load({ standby: 'x'.repeat(10_000) }));
    expect(message.length).toBeLessThan(200);
  });

  it('has an error of its own for a group and a node id', () => {
    expect(failureOf(() => load({ group: '..' })).code).toBe('FAILOVER_BAD_GROUP');
    expect(failureOf(() => load({ node: 'a/b' })).code).toBe('FAILOVER_BAD_NODE_ID');
  });
});

describe('relations between settings', () => {
  it.each<[flags: Record<string, unknown>, message: string]>([
    [
      { heartbeatTimeout: '999ms' },
      'Cannot run: --heartbeat-timeout 999ms is shorter than 2 × --heartbeat-interval 500ms (default)',
    ],
    [
      { standby: 'hot' },
      'Cannot run: --standby hot has no way to tell the workload that it is primary',
    ],
    [
      { promoteSignal: 'SIGUSR1' },
      'Cannot run: --promote-signal SIGUSR1 is for hot workloads, but --standby cold (default) has none',
    ],
    [
      { demoteSignal: 'SIGUSR1', standby: 'armed' },
      'Cannot run: --demote-signal SIGUSR1 is for hot workloads, but --standby armed has none',
    ],
    [
      { role: 'primary', priority: '0' },
      'Cannot run: --role primary leads at once, but --priority 0 never leads',
    ],
    [
      { preempt: true },
      'Cannot run: --preempt is for nodes with a better priority, but --strategy race (default) has no priorities',
    ],
    [
      { leaseTick: '1s' },
      'Cannot run: --lease-tick 1s is for leases with a time to live, but --lease file (default) has none',
    ],
    [
      { lease: 'static:a', leaseTtl: '1s' },
      'Cannot run: --lease-ttl 1s is for leases with a time to live, but --lease static:a has none',
    ],
    [
      { lease: 'file:/mnt/share' },
      'Cannot run: --lease file:/mnt/share is in files shared by machines and needs a time to live',
    ],
    [
      { lease: 'file:/mnt/share', leaseTtl: '3s', stateDir: '/mnt/share/' },
      'Cannot run: --lease file:/mnt/share is for all machines, but --state-dir /mnt/share/, which is for this machine only, is the same directory',
    ],
    [
      { leaseTtl: '3s', orphan: 'keep' },
      'Cannot run: --orphan keep lets a command keep running after its lease, but --lease file (default) has a time to live',
    ],
    [
      { lease: 'redis://:hush@h', orphan: 'keep' },
      'Cannot run: --orphan keep lets a command keep running after its lease, but --lease redis://***@h has a time to live',
    ],
    [
      { lease: 'etcd://h', leaseTtl: '2s500ms' },
      'Cannot run: --lease-ttl 2s500ms is not a whole number of seconds, as etcd requires',
    ],
    [
      { lease: 'redis://h', leaseTick: '1s' },
      'Cannot run: --lease-tick 1s × 1.2 + --lease-request-timeout 1s (default) is not shorter than --lease-max-drift 1s500ms (default)',
    ],
    [
      { bind: 'tcp://10.0.0.5:7400', lease: 'redis://h' },
      'Cannot run: anyone who can reach --bind tcp://10.0.0.5:7400 could read messages and control this node',
    ],
    [
      { bind: 'tcp://10.0.0.5:7400', lease: 'redis://h', insecure: true, keyFile: '/k' },
      'Cannot run: --key-file /k is for encrypted connections, but --insecure is for unencrypted ones',
    ],
    [
      { bind: 'tcp://10.0.0.5:7400', lease: 'redis://h', insecure: true, authorizedKeys: '/k' },
      'Cannot run: --authorized-keys /k authorizes other nodes by key, but this node has no key',
    ],
    [
      { bind: 'tcp://[::0]:7400', lease: 'redis://h', keyFile: '/k' },
      'Cannot run: --bind tcp://[::0]:7400 is not an address that another machine can connect to',
    ],
    [
      { bind: 'tcp://*:7400', lease: 'redis://h', keyFile: '/k' },
      'Cannot run: --bind tcp://*:7400 is not an address that another machine can connect to',
    ],
    [
      { bind: 'tcp://10.0.0.5:7400', keyFile: '/k' },
      'Cannot run: with --lease file (default) all nodes are on one machine, but --bind tcp://10.0.0.5:7400 is for several',
    ],
    [
      { keyFile: '/k' },
      'Cannot run: --key-file /k is about TCP, but --bind ipc (default) does not use it',
    ],
    [
      { insecure: true },
      'Cannot run: --insecure is about TCP, but --bind ipc (default) does not use it',
    ],
    [
      { peers: 'http://h:7400' },
      'Cannot run: --peers http://h:7400 applies only to --lease peers, not to --lease file (default)',
    ],
    [
      { lease: 'peers', secretFile: '/s' },
      'Cannot run: --lease peers is agreed with other nodes, but none are listed',
    ],
    [
      { lease: 'peers', peers: 'http://h:7400' },
      'Cannot run: with --lease peers anyone who can reach this node could take the lead from it',
    ],
    [
      { lease: 'peers', peers: 'http://h:7400', secretFile: '/s', strategy: 'race' },
      'Cannot run: with --lease peers nodes lead in the order of --priority and id, which excludes --strategy race',
    ],
    [
      { lease: 'peers', peers: 'http://h:7400', secretFile: '/s', orphan: 'keep' },
      'Cannot run: --orphan keep lets a command keep running after its lease, but --lease peers has a time to live',
    ],
  ])('%j contradict each other, and are named with their values', (flags, message) => {
    expect(failureOf(() => load(flags))).toMatchObject({
      code: 'FAILOVER_SETTINGS_CONFLICT',
      exitCode: 2,
      message,
    });
  });

  it('names a variable where the value came from one', () => {
    const { message, hint } = failureOf(() => load({}, { FAILOVER_HEARTBEAT_INTERVAL: '1500ms' }));
    expect(message).toBe(
      'Cannot run: --heartbeat-timeout 2s (default) is shorter than 2 × FAILOVER_HEARTBEAT_INTERVAL=1500ms',
    );
    expect(hint).toContain('at least 3s');
  });

  it('takes a timeout of exactly 2 intervals', () => {
    expect(load({ heartbeatTimeout: '1s' }).heartbeatTimeoutMs).toBe(1000);
  });

  it('takes hot with either a promote command or a promote signal', () => {
    expect(load({ standby: 'hot', promoteCommand: 'x' }).standby).toBe('hot');
    expect(load({ standby: 'hot', promoteSignal: 'HUP' }).promoteSignal).toBe('SIGHUP');
  });

  describe('without a command', () => {
    const loadBare = (flags: Record<string, unknown>): RunOptions =>
      loadRunOptions({ flags, env: {} });

    it('needs a promote command', () => {
      expect(failureOf(() => loadBare({}))).toMatchObject({ code: 'FAILOVER_USAGE', exitCode: 2 });
      expect(loadBare({ promoteCommand: 'x' })).toMatchObject({ command: [], promoteCommand: 'x' });
    });

    it.each([
      { standby: 'armed' },
      { standby: 'hot' },
      { readyWhen: 'log:/x/' },
      { readyWhen: 'exec:true' },
    ])('refuses %j', (flags) => {
      const error = failureOf(() => loadBare({ promoteCommand: 'x', ...flags }));
      expect(error.code).toBe('FAILOVER_SETTINGS_CONFLICT');
      expect(error.message).toContain(Object.values(flags).join());
      expect(error.message).toContain('there is none after --');
    });
  });
});

describe('loadClientOptions', () => {
  it('reads the group and directory that a hook is told', () => {
    const env = { FAILOVER_GROUP: 'web', FAILOVER_STATE_DIR: '/s' };
    expect(loadClientOptions({ flags: {}, env })).toEqual({ group: 'web', stateDir: '/s' });
    expect(loadClientOptions({ flags: { group: 'db' }, env })).toMatchObject({ group: 'db' });
    expect(loadClientOptions({ flags: {}, env: {} })).toEqual({ group: 'default', stateDir: null });
  });

  it('finds out by itself that the state directory is one that machines share', () => {
    const stateDir = temporaryDirectory();
    const flags = { stateDir, group: 'web' };
    expect(loadClientOptions({ flags, env: {} })).toEqual({ stateDir, group: 'web' });
    mkdirSync(timedDirectory(stateDir, 'web'), { recursive: true });
    const own = load({ ...flags, leaseTtl: '3s' }).stateDir;
    expect(loadClientOptions({ flags, env: {} })).toEqual({
      ...{ group: 'web', stateDir: own, lease: `file:${stateDir}` },
    });
  });

  it('names the variable of a bad group', () => {
    const error = failureOf(() => loadClientOptions({ flags: {}, env: { FAILOVER_GROUP: 'a b' } }));
    expect(error.message).toContain('FAILOVER_GROUP "a b"');
  });
});
