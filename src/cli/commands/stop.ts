// `failover stop`: ends a whole group, the secondaries first so that none of them takes over.
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientOptions } from '../../config/load.ts';
import { formatDuration } from '../../config/duration.ts';
import { messageOf } from '../../error-message.ts';
import { FailoverError } from '../../errors.ts';
import { isAlive, isComparable } from '../../fence/process-identity.ts';
import type { GroupPaths } from '../../lease/file/group-paths.ts';
import { nodePath } from '../../lease/file/node-registry.ts';
import { isRecordLocked } from '../../lease/file/record-lock.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import {
  ask,
  continueHint,
  isStopped,
  leaseHolder,
  livingNodes,
  lookAtGroup,
  nodeNamed,
} from '../client.ts';
import { Deadline } from '../deadline.ts';
import { note, say } from '../say.ts';
import { lookFurther, nodesElsewhere } from '../store-sight.ts';

export interface StopOptions extends ClientOptions {
  /** Null: the whole group. */
  readonly node: string | null;
  readonly timeoutMs: number;
}

/** How long a node may take to say that it stops, ms; one that does not gets SIGTERM, if its process is its own. */
const ANSWER_LIMIT_MS = 2_000;
const LOOK_INTERVAL_MS = 10;

/** How long it may take to hear who is on other machines, ms: only to say so. */
const STORE_PATIENCE_MS = 500;

/**
 * Stops nodes and waits until they are gone, and their processes with them where those have nothing else to do.
 *
 * @throws FAILOVER_NO_NODE for an id that no living node has, FAILOVER_TIMED_OUT naming those that are left
 */
export async function stop(options: StopOptions): Promise<void> {
  const { group } = options;
  const deadline = new Deadline(options.timeoutMs);
  // Asked of the nodes here, while they live; a server that does not answer keeps nobody from ending.
  const further = options.node === null ? await soonSeen(options) : null;
  // Who leads is looked up last.
  const snapshot = await lookAtGroup(options);
  if (options.node !== null) {
    await stopAll(snapshot, [nodeNamed(snapshot, options.node)], { options, deadline });
    return;
  }
  const living = livingNodes(snapshot);
  if (living.length === 0) {
    say(`No node of group ${group} is running.`);
    for (const place of snapshot.elsewhere) note(place);
    return;
  }
  const holder = leaseHolder(snapshot);
  const away = nodesElsewhere(further ?? snapshot);
  const secondaries = living.filter((node) => node !== holder);
  await stopAll(snapshot, secondaries, { options, deadline });
  if (holder !== null) await stopAll(snapshot, [holder], { options, deadline });
  const left = livingNodes(await lookAtGroup(options)).map(({ record }) => record.node);
  if (left.length > 0) note(`started in the meantime and not stopped: ${left.join(', ')}.`);
  if (away.length > 0) {
    const named = away.map(({ node, host }) => `${node} on ${host}`).join(', ');
    note(`not stopped because they run on other machines: ${named}. Run the command there.`);
  }
}

/** Null: not in time, or not at all. */
function soonSeen(options: ClientOptions): Promise<GroupSnapshot | null> {
  const isLate = wait(STORE_PATIENCE_MS, null, { ref: false });
  return Promise.race([lookFurther(options).catch(() => null), isLate]);
}

/** All at once; resolves when each of them is gone. */
async function stopAll(
  { paths }: GroupSnapshot,
  nodes: readonly SeenNode[],
  { options, deadline }: { readonly options: StopOptions; readonly deadline: Deadline },
): Promise<void> {
  // Without a directory there are no nodes either.
  if (paths === null) return;
  const { group, timeoutMs } = options;
  await Promise.all(nodes.map((node) => order(node, group)));
  const isLeft = (node: SeenNode): boolean => !isOver(node, paths);
  const ended = await deadline.until(() => !nodes.some(isLeft), LOOK_INTERVAL_MS);
  for (const node of nodes) if (!isLeft(node)) say(`${node.record.node} has stopped.`);
  if (ended) return;
  const left = nodes
    .filter(isLeft)
    .map(({ record }) => `${record.node} (pid ${record.supervisor.pid})`);
  throw new FailoverError(
    'FAILOVER_TIMED_OUT',
    `Cannot stop ${left.join(', ')} within ${formatDuration(timeoutMs)}`,
    { details: { group } },
  );
}

/** Whether it has ended: with its process, or where that goes on, as it has other nodes or is a program's own, before it. */
function isOver({ record, status }: SeenNode, paths: GroupPaths): boolean {
  const { run, supervisor, sharesProcess } = record;
  const isSeen = isComparable(supervisor);
  if (isSeen && !isAlive(supervisor)) return true;
  const mayGoOn = !isSeen || sharesProcess === true || status?.setup.ownsProcess === false;
  if (!mayGoOn) return false;
  try {
    // To give up its record is its last step.
    return !isRecordLocked(nodePath(paths, run));
  } catch {
    // Nothing is left to look with: at the next look.
    return false;
  }
}

/**
 * Tells one node to end: over its socket, or where that fails by the signal that means the same, if that means no other
 * node.
 */
async function order(node: SeenNode, group: string): Promise<void> {
  const { record } = node;
  try {
    const params = { reason: 'failover stop' };
    await ask(record, { group, method: 'instance.stop', params, timeoutMs: ANSWER_LIMIT_MS });
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    const { pid } = record.supervisor;
    // Looked at in the same instant as it is signalled: the pid may be another's by now.
    if (!isAlive(record.supervisor)) return;
    const remedy = isStopped(node) ? ` It is stopped. ${continueHint(pid)}` : '';
    if (record.sharesProcess === true) {
      note(
        `${record.node} does not answer, but its process, pid ${pid}, also runs nodes of other groups: it is not signalled.${remedy}`,
      );
      return;
    }
    note(`${record.node} does not answer; sending SIGTERM to pid ${pid}.${remedy}`);
    try {
      process.kill(pid, 'SIGTERM');
    } catch (cause) {
      const why = messageOf(cause);
      note(`pid ${pid} cannot be signalled: ${why}.`);
    }
  }
}
