// From what a person asked for to what the core reads.
import { timingOf } from '../config/lease-timing.ts';
import type { LeaseTiming } from '../config/lease-timing.ts';
import { endsByItself, parseLease } from '../config/lease-url.ts';
import type { RunOptions } from '../config/load.ts';
import type { Settings } from '../core/settings.ts';

export interface NodeName {
  readonly nodeId: string;
  readonly run: string;
  readonly version: string;
}

/**
 * All by name, and all there for every node: the engine gives each object that is spread together a shape of its own, and
 * where a thousand nodes have settings of a thousand shapes each reading of one takes a hundred times as long.
 */
export function settingsOf(options: RunOptions, { nodeId, run, version }: NodeName): Settings {
  const address = parseLease(options.lease);
  const timing = endsByItself(address) ? timingOf(options) : WITHOUT_TTL;
  const { healthIntervalMs, healthFastIntervalMs } = options;
  return {
    nodeId,
    run,
    version,
    startRole: options.role,
    standby: options.standby,
    hasWorkload: options.command.length > 0,
    hasReadyCheck: options.readyWhen !== null && options.command.length > 0,
    hasPromoteCommand: options.promoteCommand !== null,
    hasDemoteCommand: options.demoteCommand !== null,
    fence: options.fence,
    restart: options.restart,
    exitOnDemote: options.exitOnDemote,
    // Among peers the lowest id of those that are equal leads, whatever the order in which they came.
    strategy: address.kind === 'peers' ? 'priority' : options.strategy,
    priority: options.priority,
    preempt: options.preempt,
    preemptsById: address.kind === 'peers',
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
    probeIntervalMs: options.probeIntervalMs,
    probeTimeoutMs: options.probeTimeoutMs,
    probeAttempts: options.probeAttempts,
    retryBackoffMinMs: options.retryBackoffMinMs,
    retryBackoffMaxMs: options.retryBackoffMaxMs,
    readyTimeoutMs: options.readyTimeoutMs,
    promoteTimeoutMs: options.promoteTimeoutMs,
    demoteTimeoutMs: options.demoteTimeoutMs,
    stopGraceMs: options.stopGraceMs,
    fenceGraceMs: options.fenceGraceMs,
    drainMs: options.drainMs,
    successorWindowMs: options.successorWindowMs,
    restartLimit: options.restartLimit,
    restartWindowMs: options.restartWindowMs,
    coolOffMs: options.coolOffMs,
    priorityWindowMs: options.priorityWindowMs,
    preemptDelayMs: options.preemptDelayMs,
    hasHealthCheck: options.health !== null,
    hasStandbyHealthCheck: options.standbyHealth !== null,
    healthIntervalMs,
    healthTimeoutMs: options.healthTimeoutMs,
    healthFastIntervalMs: healthFastIntervalMs ?? Math.max(LEAST_PAUSE_MS, healthIntervalMs / 4),
    healthFall: options.fall,
    healthRise: options.rise,
    healthGraceMs: options.healthGraceMs,
    healthHoldMs: HEALTH_HOLD_MS,
    leaseTtlMs: timing.leaseTtlMs,
    leaseTickMs: timing.leaseTickMs,
    leaseRequestTimeoutMs: timing.leaseRequestTimeoutMs,
    leaseMaxDriftMs: timing.leaseMaxDriftMs,
  };
}

/** Between two checks, whatever they are a quarter of, ms. */
const LEAST_PAUSE_MS = 10;

/** At most one change of the lead a minute for a workload that does not serve; doubles to an hour. */
const HEALTH_HOLD_MS = 60_000;

/** The file lease has no time to live: the kernel frees it. */
const WITHOUT_TTL: LeaseTiming = {
  leaseTtlMs: 0,
  leaseTickMs: 0,
  leaseRequestTimeoutMs: 0,
  leaseMaxDriftMs: 0,
};
