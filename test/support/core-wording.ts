// Says effects and states in a line each, as the scenarios write them down.
import type { Announcement, Effect } from '../../src/core/effect.ts';
import type { ToldDemotions } from '../../src/core/health.ts';
import { epochOf } from '../../src/core/invariants.ts';
import type { NodeState, StopOrder } from '../../src/core/state.ts';

/** What happens at every beat: left out of a scenario unless it asks for everything. */
export function isRoutine(effect: Effect): boolean {
  switch (effect.type) {
    case 'observe-lease':
    case 'verify-lease':
      return true;
    case 'publish':
      return isRoutineNews(effect.announcement);
    default:
      return false;
  }
}

function isRoutineNews(announcement: Announcement): boolean {
  if (announcement.kind === 'role') return announcement.role !== 'closing';
  return announcement.kind === 'heartbeat';
}

export function effectInWords(effect: Effect): string {
  switch (effect.type) {
    case 'acquire-lease':
    case 'advance-epoch':
      return `${effect.type} floor=${String(effect.floor)}`;
    case 'extend-deadline':
      return `extend-deadline at=${String(Math.round(effect.deadlineAt))}`;
    case 'fence-holder':
      return `fence-holder epoch=${String(effect.epoch)} run=${effect.run ?? 'unnamed'} mode=${effect.mode}`;
    case 'mark-completed':
      return `mark-completed epoch=${String(effect.epoch)}`;
    case 'follow':
      return `follow ${effect.holder?.node ?? 'nobody'}`;
    case 'publish':
      return `publish ${announcementInWords(effect.announcement)}`;
    case 'probe':
      return `probe ${String(effect.probe)}${effect.willing ? '' : ' unwilling'}${effect.health === undefined ? '' : ` ${effect.health}`}`;
    case 'request-demotion':
      return `request-demotion successor=${effect.successor}${effect.preempting ? ' preempting' : ''} timeout=${String(effect.timeoutMs)}`;
    case 'activate-workload':
      return `activate-workload epoch=${String(effect.epoch)} previous=${effect.previous ?? 'none'} reason=${effect.reason}`;
    case 'run-hook':
      return `run-hook ${effect.hook} epoch=${String(effect.epoch)} timeout=${String(effect.timeoutMs)}`;
    case 'check-health':
      return `check-health ${String(effect.number)} ${effect.subject} timeout=${String(effect.timeoutMs)}`;
    case 'stop-workload':
      return `stop-workload grace=${String(effect.graceMs)}${effect.toRestart === true ? ' to-restart' : ''}`;
    case 'answer': {
      const { outcome } = effect;
      const fine = outcome.ok && outcome.undecided === true ? 'undecided' : 'ok';
      const text = outcome.ok
        ? `${fine}: ${outcome.detail}`
        : `${outcome.code}: ${outcome.message}`;
      return `answer ${effect.requestId} ${text}`;
    }
    case 'verify-lease':
      return effect.scope === 'all' ? effect.type : `${effect.type} ${effect.scope}`;
    case 'exit':
      return `exit ${String(effect.order.exitCode)}${causeInWords(effect.order)}: ${effect.order.reason}`;
    default:
      return effect.type;
  }
}

function causeInWords({ cause }: StopOrder): string {
  return cause === undefined ? '' : ` (${cause})`;
}

function announcementInWords(announcement: Announcement): string {
  const head = `${announcement.kind} epoch=${String(announcement.epoch)}`;
  switch (announcement.kind) {
    case 'heartbeat':
      return `${head} phase=${announcement.phase} succession=${announcement.succession.join(',')}${announcement.health === undefined ? '' : ` health=${announcement.health}`}${demotionsInWords(announcement)}`;
    case 'role':
      return `${head} role=${announcement.role}`;
    case 'promoted':
      return `${head} previous=${announcement.previous ?? 'none'} reason="${announcement.reason}"`;
    case 'shutdown': {
      const words = [
        head,
        `reason="${announcement.reason}"`,
        announcement.successor === null ? '' : `successor=${announcement.successor}`,
        announcement.completed ? 'completed' : '',
        announcement.planned ? '' : 'unplanned',
        announcement.workloadEndedAgoMs === null
          ? ''
          : `ended-ago=${String(announcement.workloadEndedAgoMs)}`,
        demotionsInWords(announcement).trim(),
      ];
      return words.filter((word) => word !== '').join(' ');
    }
  }
}

function demotionsInWords({ demotions }: { readonly demotions?: ToldDemotions }): string {
  return demotions === undefined
    ? ''
    : ` demotions=${String(demotions.count)}:${String(demotions.agoMs)}`;
}

/** Where a node stands at the end of a scenario. */
export function stateInWords(state: NodeState): string {
  const words: string[] = [state.phase];
  if (state.phase === 'waiting')
    words.push(`(${state.why}, until ${String(Math.round(state.until))})`);
  if (state.phase === 'suspecting') words.push(`(${state.suspicion.cause})`);
  words.push(`epoch=${String(epochOf(state) ?? state.epochFloor)}`);
  if (state.role === 'secondary' && state.primary !== null)
    words.push(`follows=${state.primary.node}`);
  if (state.failures > 0) words.push(`failures=${String(state.failures)}`);
  if (state.staleMessages > 0) words.push(`stale-messages=${String(state.staleMessages)}`);
  const { subject, status, demotions } = state.health;
  if (subject !== null) words.push(status);
  if (demotions.count > 0) words.push(`health-demotions=${String(demotions.count)}`);
  if (state.armed) words.push('armed');
  if (state.paused) words.push('paused');
  if (state.requests.length > 0)
    words.push(`requests=${state.requests.map(({ id }) => id).join(',')}`);
  if (state.warning !== null) words.push(`warning="${state.warning}"`);
  return words.join(' ');
}
