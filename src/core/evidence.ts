// What a node goes by when it believes in the primary or doubts it, in words, from its state alone.
import { isApart, NOT_HEARD_HERE } from './apart.ts';
import { counted } from './counted.ts';
import { humanMs } from './duration-text.ts';
import type { HealthStatus } from './health.ts';
import { latenessToleranceMs } from './settings.ts';
import type { Settings } from './settings.ts';
import type { NodeState, PrimaryState, SecondaryState } from './state.ts';

/** One fact that a node goes by. */
export interface Evidence {
  /** Stable: `heartbeat`, `lock-file`, `probes`, `loss`, `failures`, `standby`, `health`,
   * `lateness`. */
  readonly name: string;
  readonly text: string;
}

/** As of `state.at`. The node's own lateness is always among it: whoever was late heard nothing. */
export function evidenceOf(state: NodeState, settings: Settings): readonly Evidence[] {
  return [...signsSeen(state, settings), ...healthOf(state), latenessOf(state, settings)];
}

/** The most standbys that a primary lists one by one. */
const TOLD_STANDBYS = 8;

function signsSeen(state: NodeState, settings: Settings): Evidence[] {
  switch (state.role) {
    case 'secondary':
      return secondaryEvidence(state, settings);
    case 'candidate':
      return [
        {
          name: 'loss',
          text: `${state.loss.reason}, ${humanMs(state.at - state.loss.at)} ago`,
        },
        ...failuresIn(state),
      ];
    case 'primary':
      return primaryEvidence(state);
    case 'stopped':
      return [];
  }
}

function secondaryEvidence(state: SecondaryState, settings: Settings): Evidence[] {
  const { primary, at, loss } = state;
  const lost: Evidence[] =
    loss === null ? [] : [{ name: 'loss', text: `${loss.reason}, ${humanMs(at - loss.at)} ago` }];
  if (primary === null) {
    const nobody = { name: 'heartbeat', text: 'it knows of no primary' };
    return [nobody, ...lost, ...failuresIn(state)];
  }
  if (isApart(state)) {
    const text = `${primary.node} cannot be heard, only its lease is visible; ${NOT_HEARD_HERE}`;
    return [{ name: 'heartbeat', text }, ...lost, ...failuresIn(state)];
  }
  const timeout = humanMs(settings.heartbeatTimeoutMs);
  const heard = `${primary.node} was last heard ${humanMs(at - state.heardAt)} ago`;
  return [
    {
      name: 'heartbeat',
      text: state.leftToLease
        ? `${heard}; nothing else is known about it, and its lease is valid`
        : `${heard}; it is suspected after ${timeout}`,
    },
    touchSeen(state, primary.node),
    ...(primary.health === 'unhealthy'
      ? [{ name: 'health', text: `${primary.node} says that its workload is unhealthy` }]
      : []),
    ...probesSeen(state, settings).map((text) => ({ name: 'probes', text })),
    ...lost,
    ...failuresIn(state),
  ];
}

function touchSeen({ touch, at }: SecondaryState, primary: string): Evidence {
  const changedAt = touch?.changedAt ?? -Infinity;
  const seen =
    changedAt === -Infinity
      ? 'has not been seen to change yet'
      : `was seen to change ${humanMs(at - changedAt)} ago`;
  return { name: 'lock-file', text: `the lock file of ${primary} ${seen}` };
}

/** The figures of a doubt end with it: in the phases after it there is nothing to tell of them. */
function probesSeen(state: SecondaryState, { probeAttempts }: Settings): readonly string[] {
  if (state.phase === 'suspecting') {
    const { attempts, judging } = state.suspicion;
    if (state.probe !== null) return [`probe ${attempts + 1} of ${probeAttempts} is in progress`];
    const failed = `${attempts} of ${probeAttempts} probes have failed`;
    return [judging ? `${failed}; inspecting the process itself` : failed];
  }
  const failed = state.backgroundFailures;
  if (failed > 0) return [`its last probe failed, ${failed} of ${probeAttempts} in a row`];
  if (state.probe !== null) return ['its probe is in progress'];
  return state.phase === 'watching' ? ['its last probe did not fail'] : [];
}

function failuresIn({ failures }: NodeState): Evidence[] {
  if (failures === 0) return [];
  const times = failures === 1 ? 'once' : `${failures} times in a row`;
  return [{ name: 'failures', text: `it tried to lead and failed ${times}` }];
}

function primaryEvidence({ standbys, at }: PrimaryState): Evidence[] {
  if (standbys.length === 0) return [{ name: 'standby', text: 'no standby is known' }];
  const told = standbys.slice(0, TOLD_STANDBYS).map(({ node, willing, heardAt, health }) => {
    const how = !willing ? 'would not take over' : `stands by${healthWords(health)}`;
    return { name: 'standby', text: `${node} ${how}, heard ${humanMs(at - heardAt)} ago` };
  });
  const rest = standbys.length - told.length;
  return rest === 0 ? told : [...told, { name: 'standby', text: `and ${rest} more stand by` }];
}

function healthWords(health: HealthStatus | undefined): string {
  if (health === undefined || health === 'healthy') return '';
  return health === 'unhealthy' ? ' and is unhealthy' : ' and is not known to be healthy';
}

/** What the health checks say, and how often the lead was handed over because of them. */
function healthOf({ health, at, role }: NodeState): Evidence[] {
  const { subject, status, fault, contrary, demotions, lastUntil } = health;
  const asked: string[] = [];
  if (subject !== null) {
    const what = subject === 'workload' ? 'its command' : 'this node, as a standby,';
    const against =
      contrary > 0 ? `, but ${counted(contrary, 'check')} in a row contradicted that` : '';
    const why = status === 'healthy' || fault === null ? '' : ` (${fault})`;
    asked.push(`${what} is ${STATUS_WORDS[status]}${why}${against}`);
  }
  if (role === 'secondary' && lastUntil > at) {
    const left = humanMs(lastUntil - at);
    asked.push(
      `it stepped down because its command was unhealthy, and stays at the end of the succession for another ${left}`,
    );
  }
  if (demotions.count > 0) {
    const times = counted(demotions.count, 'time');
    const ago = humanMs(at - demotions.lastAt);
    asked.push(`the lead was handed over for this reason ${times} in a row, last ${ago} ago`);
  }
  return asked.map((text) => ({ name: 'health', text }));
}

const STATUS_WORDS: Readonly<Record<HealthStatus, string>> = {
  unknown: 'not known yet to be healthy',
  healthy: 'healthy',
  unhealthy: 'unhealthy',
};

function latenessOf({ worstLatenessMs }: NodeState, settings: Settings): Evidence {
  const tolerance = humanMs(latenessToleranceMs(settings));
  const text =
    worstLatenessMs === 0
      ? `its own event loop was never more than ${tolerance} late`
      : `its own event loop was up to ${humanMs(worstLatenessMs)} late; above ${tolerance} it doubts its own view`;
  return { name: 'lateness', text };
}
