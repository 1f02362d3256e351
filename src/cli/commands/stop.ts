// `failover stop`: ends a whole group, the secondaries first so that none of them takes over.
import type { ClientOptions } from '../../config/load.ts';
import { formatDuration } from '../../config/duration.ts';
import { FailoverError } from '../../errors.ts';
import { isAlive } from '../../fence/process-identity.ts';
import type { SeenNode } from '../client.ts';
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

export interface StopOptions extends ClientOptions {
  /** Null: the whole group. */
  readonly node: string | null;
  readonly timeoutMs: number;
}

/** How long a node may take to say that it stops, ms; one that does not gets SIGTERM. */
const ANSWER_LIMIT_MS = 2_000;
const LOOK_INTERVAL_MS = 10;

/**
 * Stops nodes and waits until their processes are gone.
 *
 * @throws FAILOVER_NO_NODE for an id that no living node has, FAILOVER_TIMED_OUT naming those that are left
 */
export async function stop(options: StopOptions): Promise<void> {
  const { group } = options;
  const deadline = new Deadline(options.timeoutMs);
  const snapshot = await lookAtGroup(options);
  if (options.node !== null) {
    await stopAll([nodeNamed(snapshot, options.node)], options, deadline);
    return;
  }
  const living = livingNodes(snapshot);
  if (living.length === 0) {
    say(`No node of group ${group} is alive.`);
    for (const place of snapshot.elsewhere) note(place);
    return;
  }
  const holder = leaseHolder(snapshot);
  await stopAll(
    living.filter((node) => node !== holder),
    options,
    deadline,
  );
  if (holder !== null) await stopAll([holder], options, deadline);
  const left = livingNodes(await lookAtGroup(options)).map(({ record }) => record.node);
  if (left.length > 0) note(`started in the meantime, and not stopped: ${left.join(', ')}.`);
}

/** All at once; resolves when each of them is gone. */
async function stopAll(
  nodes: readonly SeenNode[],
  { group, timeoutMs }: StopOptions,
  deadline: Deadline,
): Promise<void> {
  await Promise.all(nodes.map((node) => order(node, group)));
  const isLeft = ({ record }: SeenNode): boolean => isAlive(record.supervisor);
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

/** Tells one node to end: over its socket, or where that fails by the signal that means the same. */
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
    note(`${record.node} does not answer; sending SIGTERM to pid ${pid}.${remedy}`);
    try {
      process.kill(pid, 'SIGTERM');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      note(`pid ${pid} can not be signalled: ${why}.`);
    }
  }
}
