// A group as a client of the command line sees it: the state directory, and what each live node answers.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../config/duration.ts';
import type { ClientOptions } from '../config/load.ts';
import { defaultStateDir, otherDefaultStateDir } from '../config/state-dir.ts';
import type { LeaseObservation } from '../core/state.ts';
import { NOTHING_OBSERVED } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { bootId, isAlive, isComparable, readStat } from '../fence/process-identity.ts';
import type { LeaseKind } from '../lease/lease-store.ts';
import type { GroupPaths } from '../lease/file/group-paths.ts';
import type { PauseMark } from '../lease/file/markers.ts';
import type { RegisteredNode } from '../lease/file/node-registry.ts';
import { peekGroup } from '../lease/file/peek.ts';
import type { GroupPeek } from '../lease/file/peek.ts';
import type { NodeStatus } from '../runtime/node-status.ts';
import type { RpcMethod } from '../transport/rpc-message.ts';
import { lackOfDescriptors } from '../spare-descriptors.ts';
import { advised } from './advised.ts';
import { Deadline } from './deadline.ts';
import { readNodeStatus } from './node-answer.ts';
import type { StoreSight } from './store-sight.ts';

/** How long a node may take to say how it is, ms: one that needs longer is shown as unresponsive. */
const STATUS_LIMIT_MS = 500;

/**
 * A node that registered itself. `answers` and `unresponsive` live; `gone` ended without a word;
 * `unknown` runs in another pid namespace, if at all, and does not answer.
 */
export interface SeenNode {
  readonly record: RegisteredNode;
  readonly presence: 'answers' | 'unresponsive' | 'gone' | 'unknown';
  /** What it says of itself; null unless it answers. */
  readonly status: NodeStatus | null;
  /** Why it does not answer; null when it does. */
  readonly silence: string | null;
  /** Of one that is gone: pids that it started and that run still. */
  readonly leftovers: readonly number[];
}

/** One look at a group. */
export interface GroupSnapshot {
  readonly group: string;
  readonly stateDir: string;
  /** The server of the lease that was named; it may carry a password. */
  readonly lease?: string;
  /** Null: the group has no directory, so no node of it ever ran here. */
  readonly paths: GroupPaths | null;
  readonly observation: LeaseObservation;
  readonly pause: PauseMark | null;
  readonly nodes: readonly SeenNode[];
  /** Wall clock, ms since 1970: to show times of day. */
  readonly takenAtMs: number;
  /** What the server of its lease shows; null: it was not asked, or there is none. */
  readonly store: StoreSight | null;
  /** Groups that do exist, and the other default directory when the group is there: for users who look in the wrong place. */
  readonly elsewhere: readonly string[];
}

/**
 * Looks at a group: takes nothing, changes nothing, and waits for no node longer than 500 ms.
 *
 * @throws FAILOVER_STATE_DIR_* when the directory can't be looked at.
 */
export async function lookAtGroup(options: ClientOptions): Promise<GroupSnapshot> {
  const stateDir = options.stateDir ?? defaultStateDir();
  let peek = peekGroup(stateDir, options.group);
  const { group, lease } = options;
  const base = { group, stateDir, ...(lease === undefined ? {} : { lease }), store: null };
  if (peek === null) {
    const elsewhere = findElsewhere(options, stateDir);
    const nothing = { paths: null, observation: NOTHING_OBSERVED, pause: null, nodes: [] };
    return { ...base, ...nothing, takenAtMs: Date.now(), elsewhere };
  }
  let nodes = await askAll(peek, options);
  peek = asServerShows(peek, nodes);
  for (let look = 1; look < LOOKS && !fits(peek, nodes); look += 1) {
    const now = peekGroup(stateDir, options.group);
    if (now === null) break;
    nodes = await askAll(now, options);
    peek = asServerShows(now, nodes);
  }
  const { paths, observation, pause } = peek;
  return { ...base, paths, observation, pause, nodes, takenAtMs: Date.now(), elsewhere: [] };
}

/** The nodes that live, whether or not they answer. */
export function livingNodes(snapshot: GroupSnapshot): readonly SeenNode[] {
  return snapshot.nodes.filter((node) => LIVING.has(node.presence));
}

/** Whether a node is stopped, as by Ctrl-Z: it does nothing until it is continued. */
export function isStopped({ silence }: SeenNode): boolean {
  return silence === STOPPED;
}

/** How a stopped process goes on. */
export function continueHint(pid: number): string {
  return `Continue it with \`fg\` in its terminal, or with \`kill -CONT ${pid}\`.`;
}

/**
 * The holder of the lease: whose record the highest epoch has while the kernel shows the lock as held.
 * Null also while a new holder has the lock and has not said yet who it is.
 */
export function leaseHolder(snapshot: GroupSnapshot): SeenNode | null {
  const { held, holder } = snapshot.observation;
  if (!held || holder === null) return null;
  return livingNodes(snapshot).find((node) => node.record.run === holder.run) ?? null;
}

/**
 * The primary: the holder of the lease, unless it says itself that its promotion is not complete, or that it has
 * stepped down: what was seen last of a lease whose server does not answer goes on saying that it is held.
 */
export function primaryOf(snapshot: GroupSnapshot): SeenNode | null {
  const holder = leaseHolder(snapshot);
  return (holder?.status ?? null) === null || holder?.status?.role === 'primary' ? holder : null;
}

/** The first primary that answers within the time, ms; null: there is none by then. */
export async function awaitPrimary(
  options: ClientOptions,
  limitMs: number,
): Promise<SeenNode | null> {
  const deadline = new Deadline(limitMs);
  for (;;) {
    const primary = primaryOf(await lookAtGroup(options));
    if (primary?.status?.role === 'primary' && primary.status.phase !== 'demoting') return primary;
    if (deadline.hasPassed) return null;
    await wait(LOOK_INTERVAL_MS, undefined, endedBy(options.signal));
  }
}

/**
 * One node by its id.
 *
 * @throws FAILOVER_NO_NODE when no node with that id lives; it names those that do.
 */
export function nodeNamed(snapshot: GroupSnapshot, id: string): SeenNode {
  const living = livingNodes(snapshot);
  const named = living.filter(({ record }) => record.node === id);
  // An ended run of a process that goes on may have left its record.
  const found = named.find(({ presence }) => presence === 'answers') ?? named[0];
  if (found !== undefined) return found;
  const elsewhere = snapshot.store?.nodes.find(({ node }) => node === id);
  if (elsewhere !== undefined) throw onAnotherMachine(elsewhere, snapshot);
  const names = living.map(({ record }) => record.node).sort();
  const isShared = living.some(({ status }) => isOnServer(status?.lease.kind));
  const where = isShared ? ' on this machine' : '';
  const known = names.length === 0 ? 'none lives' : `live nodes${where}: ${names.join(', ')}`;
  const fact = `Cannot find node ${id} in group ${snapshot.group}: ${known}`;
  throw new FailoverError('FAILOVER_NO_NODE', fact, {
    details: { group: snapshot.group },
    ...(isShared ? { hint: `If ${id} is on another machine, run the command there.` } : {}),
    ...hintElsewhere(snapshot),
  });
}

/** For users who want something of a node that this machine does not reach. */
export function onAnotherMachine(
  { node, host }: { readonly node: string; readonly host: string },
  { group }: GroupSnapshot,
): FailoverError {
  const fact = `Cannot reach node ${node} in group ${group} from here: it runs on ${host}`;
  const hint = `Run the command on ${host}.`;
  return new FailoverError('FAILOVER_NO_NODE', fact, { details: { group }, hint });
}

/** Whether nodes of other machines may be in the group. */
function isOnServer(kind: LeaseKind | undefined): boolean {
  return kind !== undefined && kind !== 'file' && kind !== 'static';
}

/** How one more node of the group is started where it was looked for, in backquotes. */
export function startCommand(snapshot: GroupSnapshot): string {
  return advised(`\`failover run --group ${snapshot.group} -- COMMAND\``, snapshot);
}

/** A hint for users who look in the wrong place, where something shows that; for an error's options. */
export function hintElsewhere({ elsewhere }: GroupSnapshot): { readonly hint?: string } {
  const [hint] = elsewhere;
  return hint === undefined ? {} : { hint };
}

/** What to ask of a node; see `callOnce` for what it throws. */
export interface Question {
  readonly group: string;
  readonly method: RpcMethod;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  /** What was asked for in all, ms, where some of it has passed: that is what a person knows; left out: `timeoutMs`. */
  readonly limitMs?: number;
  /** Ends the wait early; what was asked may still happen. */
  readonly signal?: AbortSignal;
}

/**
 * Asks one node. The transport is loaded here: who finds no node needs none.
 *
 * @throws what the node answers, FAILOVER_NODE_UNREACHABLE, FAILOVER_TIMED_OUT
 */
export async function ask(record: RegisteredNode, question: Question): Promise<unknown> {
  const { callOnce, OutOfTime } = await import('../transport/rpc-client.ts');
  const { group, method, params, timeoutMs, signal } = question;
  try {
    return await callOnce(record.endpoints.rpc, {
      method,
      // A node that was stopped and goes on later must not do what its client has given up.
      params: { ...params, group, expiresAtMs: monotonicNow() + timeoutMs },
      timeoutMs,
      signal,
    });
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    // A connection that could not be opened from here looks like one that nobody takes there.
    const lack = error.code === 'FAILOVER_NODE_UNREACHABLE' ? lackOfDescriptors() : null;
    if (lack !== null) throw lack;
    throw error instanceof OutOfTime ? timedOut(record, question) : withGroup(error, group);
  }
}

/** One that takes the connection and nothing more is slow or stopped, and not gone. */
function timedOut(
  { node }: RegisteredNode,
  { group, timeoutMs, limitMs = timeoutMs }: Question,
): FailoverError {
  const message = `No answer from ${node} within ${formatDuration(limitMs)}`;
  return new FailoverError('FAILOVER_TIMED_OUT', message, { details: { group } });
}

/** The other node left the group open in its hint. */
function withGroup(error: FailoverError, group: string): FailoverError {
  const { code, message, exitCode, hint } = error;
  const filled = hint.replaceAll('--group GROUP', `--group ${group}`);
  return new FailoverError(code, message, { cause: error, exitCode, hint: filled });
}

/** For the options of whatever takes a signal. */
export function endedBy(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

const STOPPED = 'its process is stopped';

const LOOK_INTERVAL_MS = 20;

const LIVING: ReadonlySet<SeenNode['presence']> = new Set(['answers', 'unresponsive']);

/** A takeover takes milliseconds: one that falls into a look is over at the next. */
const LOOKS = 3;

/** Whether the answers are of the same state of affairs as the lease that was looked at before them. */
function fits({ observation }: GroupPeek, nodes: readonly SeenNode[]): boolean {
  const { epoch, held, holder } = observation;
  return nodes.every(({ record, presence, status }) => {
    const leads = held && record.run === holder?.run;
    if (presence === 'gone') return !leads && !record.alive;
    if (status === null) return true;
    return status.epoch <= epoch && (status.role === 'primary') === leads;
  });
}

/**
 * A lease on a server is not in the directory: what counts is what its nodes have seen of it, first of all those that
 * look at it all the time.
 */
function asServerShows(peek: GroupPeek, nodes: readonly SeenNode[]): GroupPeek {
  const statuses = nodes.flatMap(({ status }) => status ?? []);
  const standingBy = statuses.filter(({ role }) => role === 'secondary');
  const [seen] = [...standingBy, ...statuses]
    .flatMap(({ lease }) => lease.seen ?? [])
    .sort((a, b) => b.epoch - a.epoch);
  return seen === undefined ? peek : { ...peek, observation: seen, pause: null };
}

async function askAll(peek: GroupPeek, options: ClientOptions): Promise<readonly SeenNode[]> {
  return Promise.all(peek.nodes.map((record) => lookAtNode(record, options)));
}

async function lookAtNode(
  record: RegisteredNode,
  { group, signal }: ClientOptions,
): Promise<SeenNode> {
  const comparable = isComparable(record.supervisor);
  const ended = comparable ? !record.alive : record.supervisor.bootId !== bootId();
  if (ended) return gone(record);
  try {
    const question = { group, method: 'instance.status', timeoutMs: STATUS_LIMIT_MS } as const;
    const status = readNodeStatus(await ask(record, { ...question, ...endedBy(signal) }));
    if (status?.run === record.run)
      return { record, presence: 'answers', status, silence: null, leftovers: [] };
    return silent(record, 'its answer comes from another version of failover');
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    signal?.throwIfAborted();
    return silent(record, silenceOf(record, error));
  }
}

function gone(record: RegisteredNode): SeenNode {
  const leaders = record.sessions.map(({ process }) => process);
  const leftovers = leaders.filter(isAlive).map(({ pid }) => pid);
  return { record, presence: 'gone', status: null, silence: null, leftovers };
}

/** It may have ended while it was asked. */
function silent(record: RegisteredNode, silence: string): SeenNode {
  const alive = isAlive(record.supervisor);
  if (!alive && isComparable(record.supervisor)) return gone(record);
  const presence = alive ? 'unresponsive' : 'unknown';
  return { record, presence, status: null, silence, leftovers: [] };
}

function silenceOf(record: RegisteredNode, error: FailoverError): string {
  if (isComparable(record.supervisor)) {
    const state = readStat(record.supervisor.pid)?.state;
    if (state === 'T' || state === 't') return STOPPED;
    if (state === 'D') return 'its process is in an uninterruptible wait';
  }
  if (error.code === 'FAILOVER_TIMED_OUT') return `no answer in ${formatDuration(STATUS_LIMIT_MS)}`;
  return error.message.replace(/^Cannot reach the node at \S+: /, '');
}

/** Where the group is, or which groups are here, when it was not found. */
function findElsewhere({ group, stateDir }: ClientOptions, searched: string): readonly string[] {
  const other = stateDir === null ? otherDefaultStateDir() : null;
  if (other !== null && listDirectories(other).includes(group)) {
    return [`Group ${group} exists in ${other}: use \`--state-dir ${other}\`.`];
  }
  const groups = listDirectories(searched).sort();
  if (groups.length === 0) return [];
  const [first] = groups;
  if (groups.length === 1)
    return [`The group in ${searched} is ${first}: give \`--group ${first}\`.`];
  const shown = groups.slice(0, 10).join(', ');
  const more = groups.length > 10 ? ', …' : '';
  return [`The groups in ${searched} are: ${shown}${more}: give one of them with \`--group\`.`];
}

function listDirectories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // Not there, or not for us to read: then there is nothing to point at.
    return [];
  }
}

/** The directory a command is about, for messages. */
export function directoryOf(snapshot: GroupSnapshot): string {
  return snapshot.paths?.directory ?? join(snapshot.stateDir, snapshot.group);
}
