// The settings that tests of the core start from: the defaults of the command line, for node b.
import type { Settings } from '../../src/core/settings.ts';

export const DEFAULT_SETTINGS: Settings = {
  nodeId: 'b',
  run: 'b1',
  version: '1.0.0',
  startRole: 'auto',
  standby: 'cold',
  hasWorkload: true,
  hasReadyCheck: false,
  hasPromoteCommand: false,
  hasDemoteCommand: false,
  fence: 'kill',
  restart: 'always',
  exitOnDemote: false,
  strategy: 'race',
  priority: 100,
  preempt: false,
  heartbeatIntervalMs: 500,
  heartbeatTimeoutMs: 2_000,
  probeIntervalMs: 5_000,
  probeTimeoutMs: 500,
  probeAttempts: 2,
  retryBackoffMinMs: 1_000,
  retryBackoffMaxMs: 30_000,
  readyTimeoutMs: 30_000,
  promoteTimeoutMs: 30_000,
  demoteTimeoutMs: 10_000,
  stopGraceMs: 10_000,
  fenceGraceMs: 5_000,
  drainMs: 0,
  successorWindowMs: 2_000,
  restartLimit: 3,
  restartWindowMs: 60_000,
  coolOffMs: 30_000,
  priorityWindowMs: 1_000,
  preemptDelayMs: 30_000,
  hasHealthCheck: false,
  hasStandbyHealthCheck: false,
  healthIntervalMs: 2_000,
  healthTimeoutMs: 1_000,
  healthFastIntervalMs: 500,
  healthFall: 3,
  healthRise: 2,
  healthGraceMs: 10_000,
  healthHoldMs: 60_000,
  leaseTtlMs: 0,
  leaseTickMs: 0,
  leaseRequestTimeoutMs: 0,
  leaseMaxDriftMs: 0,
};

/** The defaults with some of them changed. */
export function settingsWith(changes: Partial<Settings>): Settings {
  return { ...DEFAULT_SETTINGS, ...changes };
}

const KNOWN: ReadonlyMap<string, unknown> = new Map(
  Object.entries({ ...DEFAULT_SETTINGS, preemptsById: false }),
);

/** Settings from words such as `standby=hot hasReadyCheck=true`. */
export function settingsFromWords(words: ReadonlyMap<string, string>): Settings {
  const changes: Record<string, string | number | boolean> = {};
  for (const [name, value] of words) {
    const known = KNOWN.get(name);
    if (known === undefined) throw new Error(`there is no setting ${name}`);
    changes[name] =
      typeof known === 'number'
        ? Number(value)
        : typeof known === 'boolean'
          ? value !== 'false'
          : value;
  }
  // Names and kinds of value were compared with the defaults above; choices are the author's business.
  return { ...DEFAULT_SETTINGS, ...(changes as Partial<Settings>) };
}
