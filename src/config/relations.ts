// What must hold between the settings of a node: checked once, at start, by name and value.
import { resolve } from 'node:path';
import { FailoverError } from '../errors.ts';
import { formatDuration } from './duration.ts';
import { checkTiming, timingOf } from './lease-timing.ts';
import type { LeaseTiming } from './lease-timing.ts';
import { endsByItself as doesEnd, parseLease } from './lease-url.ts';
import type { RunOptions } from './load.ts';
import { HEALTH_RELATIONS } from './health-relations.ts';
import { NETWORK_RELATIONS } from './network-relations.ts';
import { PEER_RELATIONS } from './peer-relations.ts';
import { defaultStateDir } from './state-dir.ts';

/** An option with its value for a message: `--heartbeat-timeout 2s (default)`. */
type Show = (key: string) => string;

/** What is known of the options beside their values. */
export interface Sources {
  readonly show: Show;
  /** Whether somebody said it. */
  readonly isGiven: (key: string) => boolean;
}

/** What contradicts what, and what to do about it. */
interface Conflict {
  readonly fact: string;
  readonly hint: string;
}

/**
 * Checks the relations between settings that are each valid.
 *
 * @throws FAILOVER_USAGE when there is nothing to run; FAILOVER_SETTINGS_CONFLICT, with the flags
 * and their values, for the first relation that does not hold.
 */
export function checkRelations(options: RunOptions, sources: Sources): void {
  if (options.command.length === 0 && options.promoteCommand === null) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      'Cannot run: there is neither a command nor --promote-command, so a primary would do nothing',
      { hint: 'Add a command after --, such as `failover run -- node server.js`.' },
    );
  }
  for (const relation of RELATIONS) {
    const conflict = relation(options, sources.show, sources.isGiven);
    if (conflict === null) continue;
    const message = `Cannot run: ${conflict.fact}`;
    throw new FailoverError('FAILOVER_SETTINGS_CONFLICT', message, { hint: conflict.hint });
  }
  if (endsByItself(options)) checkTimes(options, sources.show);
}

/** A time that was not given follows from another: it is shown as what it is all the same. */
function checkTimes(options: RunOptions, show: Show): void {
  const timing = timingOf(options);
  checkTiming(timing, (key) => {
    const time = TIMES.find((candidate) => candidate === key);
    if (time === undefined || options[`${time}Ms`] !== null) return show(key);
    return `${show(key)} ${formatDuration(Math.round(timing[`${time}Ms`]))} (default)`;
  });
}

/** One relation; null: it holds. */
export type Relation = (
  options: RunOptions,
  show: Show,
  isGiven: Sources['isGiven'],
) => Conflict | null;

const RELATIONS: readonly Relation[] = [
  timeoutCoversTwoHeartbeats,
  onlyWhoMayLeadIsPrimary,
  onlyPrioritiesPreempt,
  standbyHasCommand,
  hotWorkloadIsTold,
  onlyHotTakesSignals,
  readinessHasCommand,
  onlyServersEndLeases,
  sharedFilesHaveTime,
  sharedFilesAreElsewhere,
  orphansEndWithTheirLease,
  etcdCountsSeconds,
  ...HEALTH_RELATIONS,
  ...NETWORK_RELATIONS,
  ...PEER_RELATIONS,
];

/** One heartbeat lost or late must not read as a death. */
function timeoutCoversTwoHeartbeats(options: RunOptions, show: Show): Conflict | null {
  const { heartbeatIntervalMs, heartbeatTimeoutMs } = options;
  if (heartbeatTimeoutMs >= 2 * heartbeatIntervalMs) return null;
  const least = formatDuration(2 * heartbeatIntervalMs);
  return {
    fact: `${show('heartbeatTimeout')} is shorter than 2 × ${show('heartbeatInterval')}`,
    hint: `Set --heartbeat-timeout to at least ${least}, or shorten --heartbeat-interval.`,
  };
}

function onlyWhoMayLeadIsPrimary({ role, priority }: RunOptions, show: Show): Conflict | null {
  if (role !== 'primary' || priority !== 0) return null;
  return {
    fact: `${show('role')} leads at once, but ${show('priority')} never leads`,
    hint: 'Set --priority to 1 or more, or omit --role.',
  };
}

function onlyPrioritiesPreempt(options: RunOptions, show: Show): Conflict | null {
  const { preempt, strategy, lease } = options;
  if (!preempt || strategy === 'priority' || parseLease(lease).kind === 'peers') return null;
  return {
    fact: `${show('preempt')} is for nodes with a better priority, but ${show('strategy')} has no priorities`,
    hint: 'Add `--strategy priority`.',
  };
}

function standbyHasCommand({ standby, command }: RunOptions, show: Show): Conflict | null {
  if (standby === 'cold' || command.length > 0) return null;
  return {
    fact: `${show('standby')} needs a command, but there is none after --`,
    hint: 'Add the command after --, or use `--standby cold`.',
  };
}

function hotWorkloadIsTold(options: RunOptions, show: Show): Conflict | null {
  const { standby, promoteCommand, promoteSignal } = options;
  if (standby !== 'hot' || promoteCommand !== null || promoteSignal !== null) return null;
  return {
    fact: `${show('standby')} has no way to tell the workload that it is primary`,
    hint: 'Set --promote-command or --promote-signal.',
  };
}

function onlyHotTakesSignals(options: RunOptions, show: Show): Conflict | null {
  if (options.standby === 'hot') return null;
  const key = options.promoteSignal === null ? 'demoteSignal' : 'promoteSignal';
  if (options[key] === null) return null;
  return {
    fact: `${show(key)} is for hot workloads, but ${show('standby')} has none`,
    hint: 'Use `--standby hot`, or omit the signal.',
  };
}

function readinessHasCommand({ readyWhen, command }: RunOptions, show: Show): Conflict | null {
  if (readyWhen === null || command.length > 0) return null;
  return {
    fact: `${show('readyWhen')} waits for a command to be ready, but there is none after --`,
    hint: 'Add the command after --, or let the promote command wait.',
  };
}

function onlyServersEndLeases(options: RunOptions, show: Show): Conflict | null {
  const key = TIMES.find((candidate) => options[`${candidate}Ms`] !== null);
  if (endsByItself(options) || key === undefined) return null;
  return {
    fact: `${show(key)} is for leases with a time to live, but ${show('lease')} has none`,
    hint: 'Omit it, set --lease to the address of a server, or set --lease-ttl for files shared by machines.',
  };
}

/** Nobody has a lease that ends by itself without having asked for it. */
function sharedFilesHaveTime({ lease, leaseTtlMs }: RunOptions, show: Show): Conflict | null {
  if (parseLease(lease).kind !== 'timed-file' || leaseTtlMs !== null) return null;
  return {
    fact: `${show('lease')} is in files shared by machines and needs a time to live`,
    hint: 'Add --lease-ttl, such as 3s; or use `--lease file` and --state-dir for nodes on one machine.',
  };
}

function sharedFilesAreElsewhere({ lease, stateDir }: RunOptions, show: Show): Conflict | null {
  const address = parseLease(lease);
  if (address.kind !== 'timed-file') return null;
  if (address.directory !== resolve(stateDir ?? defaultStateDir())) return null;
  return {
    fact: `${show('lease')} is for all machines, but ${show('stateDir')}, which is for this machine only, is the same directory`,
    hint: 'Point --state-dir at a directory of this machine only, or omit the directory in --lease.',
  };
}

function orphansEndWithTheirLease(options: RunOptions, show: Show): Conflict | null {
  if (options.orphan !== 'keep' || !endsByItself(options)) return null;
  return {
    fact: `${show('orphan')} lets a command keep running after its lease, but ${show('lease')} has a time to live`,
    hint: 'Use `--orphan stop` or `--orphan kill`.',
  };
}

function etcdCountsSeconds(options: RunOptions, show: Show): Conflict | null {
  if (parseLease(options.lease).kind !== 'etcd' || timingOf(options).leaseTtlMs % 1000 === 0) {
    return null;
  }
  return {
    fact: `${show('leaseTtl')} is not a whole number of seconds, as etcd requires`,
    hint: 'Set --lease-ttl to whole seconds, 1s or more.',
  };
}

function endsByItself({ lease }: RunOptions): boolean {
  return doesEnd(parseLease(lease));
}

type TimeKey = keyof LeaseTiming extends `${infer Key}Ms` ? Key : never;

const TIMES: readonly TimeKey[] = [
  ...(['leaseTtl', 'leaseTick', 'leaseRequestTimeout', 'leaseMaxDrift'] as const),
];
