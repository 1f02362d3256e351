// Settings of a node from flags, environment and defaults: each value checked, then their relations.
import * as choices from './choices.ts';
import { isOnServer, parseLease } from './lease-url.ts';
import { OptionReader } from './option-reader.ts';
import type { Given } from './option-reader.ts';
import { checkRelations } from './relations.ts';
import { foundSharedState, sharedState } from './timed-file.ts';

type OneOf<List extends readonly string[]> = List[number];

/** What one `failover run` was told; `null` where a setting is absent or decided elsewhere. */
export interface RunOptions {
  readonly group: string;
  /** `null`: `<hostname>-<pid>`. */
  readonly node: string | null;
  readonly role: OneOf<typeof choices.START_ROLES>;
  /** `null`: the default directory of this user. */
  readonly stateDir: string | null;
  readonly strategy: OneOf<typeof choices.STRATEGIES>;
  readonly priority: number;
  readonly preempt: boolean;
  readonly standby: OneOf<typeof choices.STANDBY_MODES>;
  readonly promoteCommand: string | null;
  readonly demoteCommand: string | null;
  readonly promoteSignal: NodeJS.Signals | null;
  readonly demoteSignal: NodeJS.Signals | null;
  /** In one of the forms that `parseReadyWhen` reads. */
  readonly readyWhen: string | null;
  /** In one of the forms that `parseHealthCheck` reads. */
  readonly health: string | null;
  readonly standbyHealth: string | null;
  readonly fall: number;
  readonly rise: number;
  readonly healthIntervalMs: number;
  readonly healthTimeoutMs: number;
  /** `null`: a quarter of the interval. */
  readonly healthFastIntervalMs: number | null;
  readonly healthGraceMs: number;
  /** In one of the forms that `parseLease` reads; it may carry a password. */
  readonly lease: string;
  readonly fence: OneOf<typeof choices.FENCE_MODES>;
  readonly orphan: OneOf<typeof choices.ORPHAN_MODES>;
  readonly restart: OneOf<typeof choices.RESTART_MODES>;
  readonly restartLimit: number;
  readonly probeAttempts: number;
  readonly exitOnDemote: boolean;
  /** In one of the forms that `parseBind` reads. */
  readonly bind: string;
  /** In one of the forms that `parseAdvertise` reads. */
  readonly advertise: string | null;
  /** In the form that `parseTarget` reads. */
  readonly target: string | null;
  /** In the form that `parseListen` reads. */
  readonly proxy: string | null;
  /** In the form that `parseHttpAddress` reads. */
  readonly http: string | null;
  readonly httpTokenFile: string | null;
  readonly keyFile: string | null;
  readonly authorizedKeys: string | null;
  readonly insecure: boolean;
  readonly secretFile: string | null;
  /** In the form that `parsePeerAddresses` reads. */
  readonly peers: string | null;
  /** In the form that `parsePeerAddress` reads. */
  readonly peerAddress: string | null;
  readonly logFormat: OneOf<typeof choices.LOG_FORMATS>;
  readonly quiet: boolean;
  /** The workload and its arguments; empty when the node only runs hooks. */
  readonly command: readonly string[];

  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly retryBackoffMinMs: number;
  readonly retryBackoffMaxMs: number;
  readonly readyTimeoutMs: number;
  readonly promoteTimeoutMs: number;
  readonly demoteTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly fenceGraceMs: number;
  readonly drainMs: number;
  readonly successorWindowMs: number;
  readonly restartWindowMs: number;
  readonly coolOffMs: number;
  readonly priorityWindowMs: number;
  readonly preemptDelayMs: number;

  /** Of a lease on a server; `null`: what `timingOf` makes of the others. */
  readonly leaseTtlMs: number | null;
  readonly leaseTickMs: number | null;
  readonly leaseRequestTimeoutMs: number | null;
  readonly leaseMaxDriftMs: number | null;
}

/** What every command of a client is told. */
export interface ClientOptions {
  readonly group: string;
  /** `null`: the default directory of this user. */
  readonly stateDir: string | null;
  /** The server of the lease; left out: what the nodes of this machine know of it. It may carry a password. */
  readonly lease?: string;
  /** Ends what is waited for; what was asked may still happen. Left out: nothing does. */
  readonly signal?: AbortSignal;
}

/**
 * The settings of `failover run`. A flag goes before the environment, the environment before the
 * default; an empty variable counts as absent.
 *
 * @throws FAILOVER_BAD_OPTION, FAILOVER_BAD_GROUP, FAILOVER_BAD_NODE_ID for a value, by name;
 * FAILOVER_SETTINGS_CONFLICT when two settings contradict each other; FAILOVER_USAGE when there is
 * neither a command nor a promote command.
 */
export function loadRunOptions(
  given: Given & { readonly command?: readonly string[] },
): RunOptions {
  const read = new OptionReader(given, 'run');
  const [retryBackoffMinMs, retryBackoffMaxMs] = read.durationRange('retryBackoff');
  const lease = read.lease('lease');
  const options: RunOptions = {
    group: read.group('group'),
    node: read.nodeId('node'),
    role: read.oneOf('role', choices.START_ROLES),
    stateDir: read.text('stateDir'),
    strategy: read.oneOf('strategy', choices.STRATEGIES),
    priority: read.integer('priority'),
    preempt: read.boolean('preempt'),
    standby: read.oneOf('standby', choices.STANDBY_MODES),
    promoteCommand: read.text('promoteCommand'),
    demoteCommand: read.text('demoteCommand'),
    promoteSignal: read.signal('promoteSignal'),
    demoteSignal: read.signal('demoteSignal'),
    readyWhen: read.readyWhen('readyWhen'),
    health: read.healthCheck('health'),
    standbyHealth: read.healthCheck('standbyHealth'),
    fall: read.integer('fall'),
    rise: read.integer('rise'),
    healthIntervalMs: read.duration('healthInterval'),
    healthTimeoutMs: read.duration('healthTimeout'),
    healthFastIntervalMs: read.optionalDuration('healthFastInterval'),
    healthGraceMs: read.duration('healthGrace'),
    lease,
    fence: read.oneOf('fence', choices.FENCE_MODES),
    orphan: read.oneOf('orphan', choices.ORPHAN_MODES),
    restart: read.oneOf('restart', choices.RESTART_MODES),
    restartLimit: read.integer('restartLimit'),
    probeAttempts: read.integer('probeAttempts'),
    exitOnDemote: read.boolean('exitOnDemote'),
    bind: read.bind('bind'),
    advertise: read.advertise('advertise'),
    target: read.target('target'),
    proxy: read.listen('proxy'),
    http: read.httpAddress('http'),
    httpTokenFile: read.text('httpTokenFile'),
    keyFile: read.text('keyFile'),
    authorizedKeys: read.text('authorizedKeys'),
    insecure: read.boolean('insecure'),
    secretFile: read.text('secretFile'),
    peers: read.peers('peers', parseLease(lease).kind === 'peers'),
    peerAddress: read.peerAddress('peerAddress'),
    logFormat: read.oneOf('logFormat', choices.LOG_FORMATS),
    quiet: read.boolean('quiet'),
    command: [...(given.command ?? [])],
    heartbeatIntervalMs: read.duration('heartbeatInterval'),
    heartbeatTimeoutMs: read.duration('heartbeatTimeout'),
    probeIntervalMs: read.duration('probeInterval'),
    probeTimeoutMs: read.duration('probeTimeout'),
    retryBackoffMinMs,
    retryBackoffMaxMs,
    readyTimeoutMs: read.duration('readyTimeout'),
    promoteTimeoutMs: read.duration('promoteTimeout'),
    demoteTimeoutMs: read.duration('demoteTimeout'),
    stopGraceMs: read.duration('stopGrace'),
    fenceGraceMs: read.duration('fenceGrace'),
    drainMs: read.duration('drain'),
    successorWindowMs: read.duration('successorWindow'),
    restartWindowMs: read.duration('restartWindow'),
    coolOffMs: read.duration('coolOff'),
    priorityWindowMs: read.duration('priorityWindow'),
    preemptDelayMs: read.duration('preemptDelay'),
    leaseTtlMs: read.optionalDuration('leaseTtl'),
    leaseTickMs: read.optionalDuration('leaseTick'),
    leaseRequestTimeoutMs: read.optionalDuration('leaseRequestTimeout'),
    leaseMaxDriftMs: read.optionalDuration('leaseMaxDrift'),
  };
  const isTimed = parseLease(options.lease).kind === 'file' && options.leaseTtlMs !== null;
  const meant = isTimed ? { ...options, ...sharedState(options.stateDir) } : options;
  checkRelations(meant, {
    show: (key) => read.shown(key),
    isGiven: (key) => read.isGiven(key),
  });
  return meant;
}

/** Where groups are looked for by a command that was given none. */
export interface GroupSearch {
  readonly stateDir: string | null;
}

/**
 * Where to look for groups; null: one is named, or a server of a lease, which can't be asked which it has.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function loadGroupSearch(given: Given): GroupSearch | null {
  const read = new OptionReader(given, 'clients');
  if (read.isGiven('group') || read.isGiven('lease')) return null;
  return { stateDir: read.text('stateDir') };
}

/**
 * The settings that every other command takes; unlike `run` it reads FAILOVER_GROUP and
 * FAILOVER_STATE_DIR, so that a hook can call it without arguments. Like `run` it reads FAILOVER_LEASE.
 *
 * @throws FAILOVER_BAD_OPTION or FAILOVER_BAD_GROUP, naming the flag or variable.
 */
export function loadClientOptions(given: Given): ClientOptions {
  const read = new OptionReader(given, 'clients');
  const lease = read.lease('lease');
  const address = parseLease(lease);
  const [group, stateDir] = [read.group('group'), read.text('stateDir')];
  // Whoever asks is not told how long the lease of its nodes lasts: the directory shows that it ends.
  const shared = address.kind === 'file' ? foundSharedState(stateDir, group) : null;
  return { group, stateDir, ...(isOnServer(address) ? { lease } : {}), ...shared };
}
