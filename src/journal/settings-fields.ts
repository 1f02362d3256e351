// Which settings a core reads, and of which kind: a journal without one of them can't be decided again.
import type { Settings } from '../core/settings.ts';

/** The settings that are missing, or of another kind. */
export function missingSettings(settings: object): readonly string[] {
  const given = new Map<string, unknown>(Object.entries(settings));
  return Object.entries(KINDS)
    .filter(([name, kind]) => typeof given.get(name) !== kind)
    .map(([name]) => name);
}

/** One row for each setting that is always there: a new one without it does not compile. */
const KINDS: Readonly<
  Record<Exclude<keyof Settings, 'preemptsById'>, 'string' | 'number' | 'boolean'>
> = {
  nodeId: 'string',
  run: 'string',
  version: 'string',
  startRole: 'string',
  standby: 'string',
  hasWorkload: 'boolean',
  hasReadyCheck: 'boolean',
  hasPromoteCommand: 'boolean',
  hasDemoteCommand: 'boolean',
  fence: 'string',
  restart: 'string',
  exitOnDemote: 'boolean',
  strategy: 'string',
  priority: 'number',
  preempt: 'boolean',
  heartbeatIntervalMs: 'number',
  heartbeatTimeoutMs: 'number',
  probeIntervalMs: 'number',
  probeTimeoutMs: 'number',
  probeAttempts: 'number',
  retryBackoffMinMs: 'number',
  retryBackoffMaxMs: 'number',
  readyTimeoutMs: 'number',
  promoteTimeoutMs: 'number',
  demoteTimeoutMs: 'number',
  stopGraceMs: 'number',
  fenceGraceMs: 'number',
  drainMs: 'number',
  successorWindowMs: 'number',
  restartLimit: 'number',
  restartWindowMs: 'number',
  coolOffMs: 'number',
  priorityWindowMs: 'number',
  preemptDelayMs: 'number',
  hasHealthCheck: 'boolean',
  hasStandbyHealthCheck: 'boolean',
  healthIntervalMs: 'number',
  healthTimeoutMs: 'number',
  healthFastIntervalMs: 'number',
  healthFall: 'number',
  healthRise: 'number',
  healthGraceMs: 'number',
  healthHoldMs: 'number',
  leaseTtlMs: 'number',
  leaseTickMs: 'number',
  leaseRequestTimeoutMs: 'number',
  leaseMaxDriftMs: 'number',
};
