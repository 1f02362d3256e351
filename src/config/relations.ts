// What must hold between the settings of a node: checked once, at start, by name and value.
import { FailoverError } from '../errors.ts';
import { formatDuration } from './duration.ts';
import type { RunOptions } from './load.ts';

/** An option with its value for a message: `--heartbeat-timeout 2s (default)`. */
type Show = (key: string) => string;

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
export function checkRelations(options: RunOptions, show: Show): void {
  if (options.command.length === 0 && options.promoteCommand === null) {
    throw new FailoverError(
      'FAILOVER_USAGE',
      'Cannot run: there is neither a command nor --promote-command, so a primary would do nothing',
      { hint: 'Give a command after --, such as `failover run -- node server.js`.' },
    );
  }
  for (const relation of RELATIONS) {
    const conflict = relation(options, show);
    if (conflict === null) continue;
    const message = `Cannot run: ${conflict.fact}`;
    throw new FailoverError('FAILOVER_SETTINGS_CONFLICT', message, { hint: conflict.hint });
  }
}

const RELATIONS: readonly ((options: RunOptions, show: Show) => Conflict | null)[] = [
  timeoutCoversTwoHeartbeats,
  standbyHasCommand,
  hotWorkloadIsTold,
  onlyHotTakesSignals,
  readinessHasCommand,
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
