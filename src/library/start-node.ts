// Starts a node from a program: a command or a promote command, and only what differs from the defaults.
import { runOptionsOf } from '../config/run-options.ts';
import type { GivenRunOptions } from '../config/run-options.ts';
import { FailoverNode } from '../runtime/failover-node.ts';
import type { FailoverNodeExtras } from '../runtime/node-extras.ts';

/**
 * Starts what `failover run` starts, in this process. The environment is not read; durations are whole
 * milliseconds.
 *
 * @throws what `FailoverNode.start` throws, and FAILOVER_BAD_OPTION, FAILOVER_BAD_GROUP,
 * FAILOVER_BAD_NODE_ID, FAILOVER_SETTINGS_CONFLICT or FAILOVER_USAGE for what it was given
 */
export async function startNode(
  options: GivenRunOptions,
  extras: FailoverNodeExtras = {},
): Promise<FailoverNode> {
  return FailoverNode.start(runOptionsOf(options), extras);
}
