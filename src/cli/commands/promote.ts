// `failover promote`: makes one node the primary, in order if the present one answers.
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { isAlive } from '../../fence/process-identity.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import {
  ask,
  awaitPrimary,
  continueHint,
  endedBy,
  hintElsewhere,
  isStopped,
  leaseHolder,
  livingNodes,
  lookAtGroup,
  nodeNamed,
  primaryOf,
  startCommand,
} from '../client.ts';
import { successionOf } from '../group-status.ts';
import { remedyFor } from '../silent-holder.ts';
import { humanMs } from '../../core/duration-text.ts';
import { ALOUD, uncapitalized } from '../say.ts';
import type { Voice } from '../say.ts';
import { holderElsewhere, lookFurther } from '../store-sight.ts';
import { Deadline } from '../deadline.ts';
import { fieldOf, textOf } from '../answer-fields.ts';
import { readTakeover } from '../../transport/checks.ts';
import type { Takeover } from '../../core/state.ts';

export interface PromoteOptions extends ClientOptions {
  /** Null: the next in succession. */
  readonly node: string | null;
  readonly force: boolean;
  readonly timeoutMs: number;
}

/**
 * Promotes a node and says what happened.
 *
 * @throws FAILOVER_NO_NODE, FAILOVER_PROMOTION_FAILED, FAILOVER_REFUSED, FAILOVER_TIMED_OUT
 */
export async function promote(options: PromoteOptions, voice: Voice = ALOUD): Promise<void> {
  const before = await lookAtGroup(options);
  const target = targetOf(before, options.node);
  const id = target.record.node;
  if (isServing(target, before)) {
    voice.say(`${id} is already primary, at epoch ${before.observation.epoch}.`);
    return;
  }
  refuseOneThatNeverLeads(target);
  if (!options.force) refuseUnhealthy(target, options);
  let answer: unknown;
  try {
    answer = await askToPromote(target, options, voice);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw await explained(error, target.record, options);
  }
  const takeover = takeoverIn(answer);
  if (takeover?.to === id) {
    voice.say(promotionText(takeover));
    return;
  }
  const after = await lookAtGroup(options);
  voice.say(`${id} is primary at epoch ${after.observation.epoch}.`);
}

/** Until it leads. Where the end of a lease has to come first, it is told before how long that may take. */
async function askToPromote(
  { record }: SeenNode,
  { group, force, timeoutMs, signal }: PromoteOptions,
  { note }: Voice,
): Promise<unknown> {
  const deadline = new Deadline(timeoutMs);
  // Only a forced promotion waits for that.
  let answerEarly = force;
  for (;;) {
    const answer = await ask(record, {
      ...{ group, method: 'instance.promote', params: { force, answerEarly } },
      // The least that is still a time to wait.
      timeoutMs: Math.max(1, deadline.leftMs),
      limitMs: timeoutMs,
      ...endedBy(signal),
    });
    if (!answerEarly || fieldOf(answer, 'undecided') !== true) return answer;
    note(`${textOf(fieldOf(answer, 'detail'))} (Ctrl-C ends only the wait)`);
    answerEarly = false;
  }
}

/** @throws FAILOVER_REFUSED */
function refuseOneThatNeverLeads({ record: { node, priority } }: SeenNode): void {
  if (priority !== 0) return;
  throw new FailoverError(
    'FAILOVER_REFUSED',
    `Cannot promote ${node}: it was started with --priority 0 and never leads`,
    { hint: 'Promote another node, or start it with a --priority of 1 or more.' },
  );
}

/** @throws FAILOVER_REFUSED for one of which it is known; the node itself says no where it is not known here yet */
function refuseUnhealthy({ record: { node }, status }: SeenNode, { group }: PromoteOptions): void {
  if (status?.health !== 'unhealthy' || status.role !== 'secondary') return;
  const because = status.unhealthyBecause ?? 'its checks fail';
  throw new FailoverError(
    'FAILOVER_REFUSED',
    `Cannot promote ${node}: it is unhealthy (${because})`,
    {
      hint: `Promote another node, or override with \`failover promote ${node} --force --group ${group}\`.`,
    },
  );
}

/** What a promotion was, in one sentence. */
export function promotionText({ kind, from, to, epoch, gapMs }: Takeover): string {
  const fact = `${to} is primary at epoch ${epoch}`;
  if (gapMs === null || from === null) return `${fact}.`;
  const gap = humanMs(gapMs);
  if (kind === 'switchover') {
    return `${fact}: ${gap} between the old workload's exit and the new one's start.`;
  }
  return `${fact}: ${gap} from the loss of ${from} to the new workload's start.`;
}

function targetOf(snapshot: GroupSnapshot, id: string | null): SeenNode {
  if (id !== null) return nodeNamed(snapshot, id);
  const holder = leaseHolder(snapshot);
  const others = livingNodes(snapshot).filter(({ record, status }) => {
    return record.run !== holder?.record.run && status !== null;
  });
  const [next] = successionOf(snapshot, primaryOf(snapshot));
  // A person may promote a node that would not claim by itself: held off, or in a paused group.
  const target =
    others.find(({ record }) => record.node === next) ??
    others.find(({ record }) => record.priority > 0) ??
    others[0];
  if (target !== undefined) return target;
  const fact =
    holder === null
      ? `no node of group ${snapshot.group} answers`
      : `${holder.record.node} has the lease and no secondary of group ${snapshot.group} answers`;
  throw new FailoverError('FAILOVER_NO_NODE', `Cannot promote: ${fact}`, {
    hint: `Start another node with ${startCommand(snapshot)}.`,
    ...hintElsewhere(snapshot),
  });
}

/**
 * @throws FAILOVER_PROMOTION_FAILED for a node that is stopped: promoting it helps nobody;
 *   FAILOVER_NODE_UNREACHABLE for a primary that does not answer; FAILOVER_REFUSED for one that steps down
 */
export function isServing(target: SeenNode, snapshot: GroupSnapshot): boolean {
  const { node, supervisor } = target.record;
  if (primaryOf(snapshot)?.record.run !== target.record.run) {
    if (!isStopped(target)) return false;
    const message = `Cannot promote ${node}: its process is stopped`;
    throw new FailoverError('FAILOVER_PROMOTION_FAILED', message, {
      hint: continueHint(supervisor.pid),
    });
  }
  if (target.status?.phase === 'demoting') {
    const message = `Cannot promote ${node}: it is stepping down`;
    throw new FailoverError('FAILOVER_REFUSED', message, {
      hint: `Promote it after it has stepped down: see \`failover status --group ${snapshot.group}\`.`,
    });
  }
  if (target.status !== null) return target.status.role === 'primary';
  throw new FailoverError(
    'FAILOVER_NODE_UNREACHABLE',
    `Cannot promote ${node}: it holds the lease and does not answer`,
    { hint: remedyFor(target, snapshot) },
  );
}

function takeoverIn(answer: unknown): Takeover | null {
  return readTakeover(fieldOf(answer, 'takeover')) ?? null;
}

/** The error with who leads now: when a switchover fails, the old primary comes back first. */
async function explained(
  error: unknown,
  { node: id, supervisor }: SeenNode['record'],
  options: PromoteOptions,
): Promise<unknown> {
  if (!(error instanceof FailoverError)) return error;
  // One that ended on the way did not become the primary, which is what was asked.
  const isLost = error.code === 'FAILOVER_NODE_UNREACHABLE';
  const code = isLost ? 'FAILOVER_PROMOTION_FAILED' : error.code;
  const silence = isAlive(supervisor) ? 'it no longer answers' : 'it has ended';
  const fact = isLost ? silence : uncapitalized(error.message);
  const limitMs = code === 'FAILOVER_PROMOTION_FAILED' ? RETURN_LIMIT_MS : 0;
  const leader = await awaitPrimary(options, limitMs);
  if (leader !== null) {
    const now = `${leader.record.node} is primary at epoch ${String(leader.status?.epoch)}`;
    const hint = hintFor(code, options);
    return new FailoverError(code, `Cannot promote ${id}: ${fact}; ${now}`, { cause: error, hint });
  }
  const here = await lookAtGroup(options);
  const after = leaseHolder(here) === null ? await lookFurther(options) : here;
  const silent = silentHolder(after);
  return new FailoverError(code, `Cannot promote ${id}: ${fact}; ${withoutPrimary(after)}`, {
    cause: error,
    hint: hintFor(code, options, silent === null ? null : remedyFor(silent, after)),
  });
}

/** How a group stands that nobody leads in order. Exported for its tests. */
export function withoutPrimary(snapshot: GroupSnapshot): string {
  const holder = leaseHolder(snapshot);
  if (holder === null) {
    const away = holderElsewhere(snapshot);
    if (away !== null) return `${away.node} has the lease, on ${away.host}`;
    const isHeld = snapshot.observation.held;
    return isHeld
      ? 'the lease is held by a process that is not a node of the group'
      : 'there is no primary now';
  }
  const { record, status, silence } = holder;
  if (status !== null) return `${record.node} holds the lease and is ${status.phase}`;
  const why = silence === null ? '' : `: ${silence}`;
  return `${record.node} holds the lease and does not answer${why}`;
}

function silentHolder(snapshot: GroupSnapshot): SeenNode | null {
  const holder = leaseHolder(snapshot);
  return holder?.status === null ? holder : null;
}

/** How long the old primary may take to be back after a failed switchover, ms. */
const RETURN_LIMIT_MS = 5_000;

/** `remedy`: what helps against a silent holder of the lease; null: there is none. */
function hintFor(
  code: ErrorCode,
  { group, node, force }: PromoteOptions,
  remedy: string | null = null,
): string {
  const see = `Run \`failover status --group ${group}\` to see the state of each node.`;
  const status = remedy === null || force ? see : remedy;
  if (code === 'FAILOVER_TIMED_OUT') return `${status} The promotion may still complete.`;
  if (code !== 'FAILOVER_REFUSED' || force || remedy !== null) return status;
  const named = node === null ? '' : `${node} `;
  return `Run \`failover promote ${named}--force --group ${group}\` to fence a primary that does not hand over.`;
}
