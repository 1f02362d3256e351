// What the workload and its hooks find in their environment.
import type { Term } from '../runtime/ports.ts';

/** What stays the same for all that one node starts. */
export interface NodeContext {
  readonly group: string;
  readonly node: string;
  readonly stateDir: string;
  /** Where the role file of this run of the node is kept. */
  readonly roleFile: string;
}

/** What a process is told when its gate opens, one line each. */
export interface GateMessage {
  readonly role: 'primary' | 'secondary';
  /** Empty: not known yet, as for a workload that starts as secondary. */
  readonly epoch: string;
  /** The node that was primary before, empty when there was none. */
  readonly previous: string;
  readonly reason: string;
}

/** What is run as the demote command where the process that would run it is gone. */
export interface DemotionNote {
  /** Run by `sh -c`. */
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly message: GateMessage;
  /** `ignore`: what it writes would be read by that process, and end it where nobody reads. */
  readonly output: 'inherit' | 'ignore';
}

/** The descriptor under which every process that we start finds the workload lock. */
const LOCK_FD = 3;

/** The variables that are known when a process is spawned; a null `lockFd` leaves it without the lock. */
export function nodeEnvironment(
  context: NodeContext,
  lockFd: number | null,
): Record<string, string> {
  return {
    FAILOVER_GROUP: context.group,
    FAILOVER_NODE: context.node,
    FAILOVER_STATE_DIR: context.stateDir,
    FAILOVER_ROLE_FILE: context.roleFile,
    FAILOVER_LOCK_FD: lockFd === null ? '' : String(LOCK_FD),
    // A node that a hook has started is no part of the hook.
    FAILOVER_HOOK: '',
    ...withoutSecrets(process.env),
  };
}

/** The same for a hook: by its name what it started is told from what the workload did. */
export function hookEnvironment(
  context: NodeContext,
  lockFd: number | null,
  hook: 'promote' | 'demote',
): Record<string, string> {
  return { ...nodeEnvironment(context, lockFd), FAILOVER_HOOK: hook };
}

/** An address of a server may carry a password: it is the supervisor's alone, and empty counts as absent. */
function withoutSecrets(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return env['FAILOVER_LEASE'] === undefined ? {} : { FAILOVER_LEASE: '' };
}

/** The variables that are known only when the gate opens. */
export function termEnvironment(message: GateMessage): Record<string, string> {
  return {
    FAILOVER_ROLE: message.role,
    FAILOVER_EPOCH: message.epoch,
    FAILOVER_PREVIOUS: message.previous,
    FAILOVER_REASON: message.reason,
  };
}

/** What a term is to a process that starts in it with this role. */
export function termMessage(term: Term, role: GateMessage['role']): GateMessage {
  return {
    role,
    epoch: String(term.epoch),
    previous: singleLine(term.previous ?? ''),
    reason: singleLine(term.reason),
  };
}

/** What a hot workload is told when it starts before anything was decided. */
export const STANDING_BY: GateMessage = {
  role: 'secondary',
  epoch: '',
  previous: '',
  reason: 'standing by',
};

/** The longest text handed over; a reason is a sentence. */
const TEXT_LIMIT = 1000;

/** A text that fits a line of the gate's pipe: it may quote what another node sent. */
function singleLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, TEXT_LIMIT);
}
