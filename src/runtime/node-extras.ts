// What a program that embeds a node may put in the place of the node's own parts, and what it gets for it.
import { parseLease } from '../config/lease-url.ts';
import type { RunOptions } from '../config/load.ts';
import { parseBind } from '../config/bind.ts';
import { defaultRuntimeDir } from '../config/state-dir.ts';
import type { Endpoints } from '../core/state.ts';
import type { Step } from '../core/transition.ts';
import { FailoverError } from '../errors.ts';
import { Transport } from '../transport/bus.ts';
import type { NodeTransport } from '../transport/node-transport.ts';
import type { OutputTargets } from '../workload/output.ts';
import type { ManyNodes } from './many-nodes.ts';
import { networkOf } from './network.ts';
import type { Bus, NodeWorkload, WorkloadLock } from './ports.ts';

export interface FailoverNodeExtras {
  /** Stops this process as the terminal asked for, and returns when it continues; nothing by default. */
  readonly suspend?: () => void;
  /** Where the node's sockets are made; by default the runtime directory of this user. */
  readonly socketDir?: string;
  /** Sockets that the program shares among its nodes and closes itself. */
  readonly transport?: NodeTransport;
  /** Wraps the node's view of the sockets. */
  readonly wrapBus?: (bus: Bus) => Bus;
  /** Makes what takes the place of the command and its hooks. */
  readonly createWorkload?: (parts: WorkloadParts) => NodeWorkload;
  /** Called when another may have the id of the node, with what it waits for; the signal ends the wait. */
  readonly onIdWait?: (fact: string) => AbortSignal;
  /** Told of each step of the core before what follows from it is done: it is to be quick. */
  readonly onStep?: (step: Step) => void;
  /** Stops the node when it is aborted, and ends what its start waits for. */
  readonly signal?: AbortSignal;
  /** The transport was made with the settings of this node, which name its sockets. */
  readonly hasOwnSettings?: boolean;
  /** True: the process has nodes of other groups too: whoever finds this one silent spares it while it answers. */
  readonly sharesProcess?: boolean;
  /** Plays a promotion through, or tells what that has taken here already; by default each node does so itself. */
  readonly rehearse?: (play: () => Promise<number>) => Promise<number>;
  /** What it shares with the other nodes of a process that has many; left out: nothing. */
  readonly many?: ManyNodes;
  /** How often it looks after what does not change by itself, ms; left out: once a second. */
  readonly upkeepIntervalMs?: number;
  /** Where the output of the command and its hooks goes; left out: where that of this process goes. */
  readonly output?: OutputTargets;
  /** True: this process is the node and nothing else, so that a drill may kill it; by default it is not. */
  readonly ownsProcess?: boolean;
}

/** What the node lends to a workload that was not made by it. */
export interface WorkloadParts {
  readonly lock: WorkloadLock;
  /** Makes other addresses known than those of the node's sockets. */
  readonly announce: (endpoints: Endpoints) => void;
  readonly warn: (message: string) => void;
}

/** Whether its lease lets this node claim it at all. */
export function isNamedBy(options: Pick<RunOptions, 'lease'>, nodeId: string): boolean {
  const address = parseLease(options.lease);
  return address.kind !== 'static' || address.node === nodeId;
}

/** Whether nothing of the node is to end with its process. */
export function sparesOrphans(options: RunOptions, extras: FailoverNodeExtras): boolean {
  return options.orphan === 'keep' || extras.createWorkload !== undefined;
}

/**
 * The program's sockets, which it closes itself, or the node's own.
 *
 * @throws FAILOVER_SETTINGS_CONFLICT, FAILOVER_BAD_KEY_FILE, and what the constructor of `Transport` throws
 */
export function openTransport(
  options: RunOptions,
  { transport, socketDir, hasOwnSettings = false }: FailoverNodeExtras,
): {
  readonly transport: NodeTransport;
  readonly closeTransport: () => Promise<void>;
} {
  if (transport !== undefined) {
    if (!hasOwnSettings) refuseSettingsOfSockets(options);
    return { transport, closeTransport: () => Promise.resolve() };
  }
  const own = new Transport({
    directory: socketDir ?? defaultRuntimeDir(),
    ...networkOf(options),
  });
  return { transport: own, closeTransport: () => own.close() };
}

/** Refuses settings that would have no effect, and by which somebody would believe to be protected. */
function refuseSettingsOfSockets({ bind, secretFile }: RunOptions): void {
  if (parseBind(bind).kind === 'ipc' && secretFile === null) return;
  throw new FailoverError(
    'FAILOVER_SETTINGS_CONFLICT',
    'Cannot run: `bind` and `secretFile` are socket settings, but the node is given a `Transport`',
    { hint: 'Pass them to the `Transport`, or omit it.' },
  );
}
