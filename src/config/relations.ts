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
      { hint: 'Give a command after --, such as `failover run -- node server.js`.' },
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
    hint: `Give --heartbeat-timeout at least ${least}, or a shorter --heartbeat-interval.`,
  };
}

function onlyWhoMayLeadIsPrimary({ role, priority }: RunOptions, show: Show): Conflict | null {
  if (role !== 'primary' || priority !== 0) return null;
  return {
    fact: `${show('role')} leads at once, and ${show('priority')} never does`,
    hint: 'Give --priority a number from 1 on, or leave --role out.',
  };
}

function onlyPrioritiesPreempt(options: RunOptions, show: Show): Conflict | null {
  const { preempt, strategy, lease } = options;
  if (!preempt || strategy === 'priority' || parseLease(lease).kind === 'peers') return null;
  return {
    fact: `${show('preempt')} is for nodes that go before others, and with ${show('strategy')} none does`,
    hint: 'Give `--strategy priority` too.',
  };
}

function standbyHasCommand({ standby, command }: RunOptions, show: Show): Conflict | null {
  if (standby === 'cold' || command.length > 0) return null;
  return {
    fact: `${show('standby')} needs a command to have ready, and there is none after --`,
    hint: 'Give the command after --, or use `--standby cold`.',
  };
}

function hotWorkloadIsTold(options: RunOptions, show: Show): Conflict | null {
  const { standby, promoteCommand, promoteSignal } = options;
  if (standby !== 'hot' || promoteCommand !== null || promoteSignal !== null) return null;
  return {
    fact: `${show('standby')} has no way to tell the workload that it is primary`,
    hint: 'Give --promote-command or --promote-signal.',
  };
}

function onlyHotTakesSignals(options: RunOptions, show: Show): Conflict | null {
  if (options.standby === 'hot') return null;
  const key = options.promoteSignal === null ? 'demoteSignal' : 'promoteSignal';
  if (options[key] === null) return null;
  return {
    fact: `${show(key)} tells a hot workload its role, and ${show('standby')} has none`,
    hint: 'Use `--standby hot`, or leave the signal out.',
  };
}

function readinessHasCommand({ readyWhen, command }: RunOptions, show: Show): Conflict | null {
  if (readyWhen === null || command.length > 0) return null;
  return {
    fact: `${show('readyWhen')} waits for a command to be ready, and there is none after --`,
    hint: 'Give the command after --, or let the promote command wait.',
  };
}

function onlyServersEndLeases(options: RunOptions, show: Show): Conflict | null {
  const key = TIMES.find((candidate) => options[`${candidate}Ms`] !== null);
  if (endsByItself(options) || key === undefined) return null;
  return {
    fact: `${show(key)} is a time of a lease that ends by itself, and that of ${show('lease')} does not`,
    hint: 'Leave it out, or give --lease the address of a server, or --lease-ttl for files that machines share.',
  };
}

/** Nobody has a lease that ends by itself without having asked for it. */
function sharedFilesHaveTime({ lease, leaseTtlMs }: RunOptions, show: Show): Conflict | null {
  if (parseLease(lease).kind !== 'timed-file' || leaseTtlMs !== null) return null;
  return {
    fact: `${show('lease')} is in files that machines share, and ends by itself: nothing says when`,
    hint: 'Give --lease-ttl too, 3s say; or `--lease file` and --state-dir for nodes of one machine.',
  };
}

function sharedFilesAreElsewhere({ lease, stateDir }: RunOptions, show: Show): Conflict | null {
  const address = parseLease(lease);
  if (address.kind !== 'timed-file') return null;
  if (address.directory !== resolve(stateDir ?? defaultStateDir())) return null;
  return {
    fact: `${show('lease')} is for all machines, and ${show('stateDir')} is the same directory, for what is of one`,
    hint: 'Give --state-dir a directory of this machine alone, or leave the directory out of --lease.',
  };
}

function orphansEndWithTheirLease(options: RunOptions, show: Show): Conflict | null {
  if (options.orphan !== 'keep' || !endsByItself(options)) return null;
  return {
    fact: `${show('orphan')} lets a command go on whose lease has ended, and that of ${show('lease')} ends by itself`,
    hint: 'Use `--orphan stop` or `--orphan kill`.',
  };
}

function etcdCountsSeconds(options: RunOptions, show: Show): Conflict | null {
  if (parseLease(options.lease).kind !== 'etcd' || timingOf(options).leaseTtlMs % 1000 === 0) {
    return null;
  }
  return {
    fact: `${show('leaseTtl')} is no whole number of seconds, and etcd counts in those`,
    hint: 'Give --lease-ttl 1s or more, without a fraction.',
  };
}

function endsByItself({ lease }: RunOptions): boolean {
  return doesEnd(parseLease(lease));
}

type TimeKey = keyof LeaseTiming extends `${infer Key}Ms` ? Key : never;

const TIMES: readonly TimeKey[] = [
  ...(['leaseTtl', 'leaseTick', 'leaseRequestTimeout', 'leaseMaxDrift'] as const),
];
