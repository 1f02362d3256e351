// What a node says of how it was set: what another process has to know before it meddles with it.
import type { RunOptions } from '../config/load.ts';

/** The settings that bound a takeover or forbid a fault, and whose process the node runs in. */
export interface NodeSetup extends Pick<RunOptions, Exclude<keyof RunOptions, Untold>> {
  /** True: the process is this node and nothing else, as that of `failover run` is. */
  readonly ownsProcess: boolean;
  /** False: it runs hooks or callbacks and starts no command. */
  readonly hasWorkload: boolean;
  readonly hasReadyCheck: boolean;
  readonly hasPromoteCommand: boolean;
  readonly hasDemoteCommand: boolean;
}

/** Names and command lines: they are said elsewhere, or are nobody's business. */
const UNTOLD = [
  'group',
  'node',
  'role',
  'stateDir',
  'strategy',
  'priority',
  'standby',
  'promoteCommand',
  'demoteCommand',
  'promoteSignal',
  'demoteSignal',
  'readyWhen',
  'health',
  'standbyHealth',
  'lease',
  'leaseTtlMs',
  'leaseTickMs',
  'leaseRequestTimeoutMs',
  'leaseMaxDriftMs',
  'bind',
  'advertise',
  'target',
  'proxy',
  'keyFile',
  'authorizedKeys',
  'insecure',
  'secretFile',
  'peers',
  'peerAddress',
  'logFormat',
  'quiet',
  'command',
] as const;

type Untold = (typeof UNTOLD)[number];

export function setupOf(options: RunOptions, ownsProcess: boolean): NodeSetup {
  const { command, readyWhen, promoteCommand, demoteCommand } = options;
  const told = Object.fromEntries(Object.entries(options).filter(([key]) => !isUntold(key)));
  // What was taken out is what the type takes out.
  return Object.assign(told as Pick<RunOptions, Exclude<keyof RunOptions, Untold>>, {
    ownsProcess,
    hasWorkload: command.length > 0,
    hasReadyCheck: readyWhen !== null && command.length > 0,
    hasPromoteCommand: promoteCommand !== null,
    hasDemoteCommand: demoteCommand !== null,
  });
}

function isUntold(key: string): boolean {
  return UNTOLD.some((untold) => untold === key);
}
