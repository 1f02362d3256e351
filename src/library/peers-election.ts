// An election among the programs themselves: signed heartbeats over HTTP, and the lowest id alive leads.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { MAX_DURATION_MS, formatDuration } from '../config/duration.ts';
import { defaultNodeId, validateGroup, validateNodeId } from '../config/names.ts';
import { parsePeerAddress } from '../config/peer-address.ts';
import { PEER_LIMIT } from '../core/peer-table.ts';
import { FailoverError } from '../errors.ts';
import { answerHeartbeat, isHeartbeat } from '../peers/heartbeat-endpoint.ts';
import type { PeerCounters } from '../peers/peer-counters.ts';
import { PeerNode } from '../peers/peer-node.ts';
import type { SeenPeer } from '../peers/peer-node.ts';
import { SECRET_LENGTH } from '../peers/signature.ts';
import { BootClock } from '../runtime/boot-clock.ts';
import { callOut } from '../runtime/call-out.ts';
import { onAbort } from '../runtime/on-abort.ts';
import type { ManagedLeader } from './leader-provider.ts';

export interface PeersElectionOptions {
  /** Where others reach this node's program, and send what is meant for the leader. */
  readonly localTarget: string;
  /** The addresses of the others; that of this node may be among them. By default none: it is alone. */
  readonly peers?: readonly string[];
  /** The same for all of them, at least 16 characters; needed as soon as there are peers. */
  readonly secret?: string;
  /** Unique among them: the lowest in plain string order leads. By default `<hostname>-<pid>`. */
  readonly nodeId?: string;
  /** Those of another group are refused; by default `default`. */
  readonly group?: string;
  /** Closes it when it is aborted. */
  readonly signal?: AbortSignal;
  /** How often it says that it lives, ms; by default 500. */
  readonly intervalMs?: number;
  /** After how much silence one counts as gone, ms; at least two intervals, by default three. */
  readonly leaseMs?: number;
}

/** A change of what a node knows of the leader. */
export interface LeaderChange {
  readonly isLeader: boolean;
  /** Null: nobody leads, as far as is known here. */
  readonly leader: string | null;
  readonly target: string | null;
  /** Of its own term, or the highest that it knows: the fencing token for what a leader writes. */
  readonly epoch: number;
}

export interface PeersElectionEvents {
  /** Noticed at the latest one interval after it is so; `isLeader()` is right at any time. */
  leader: [LeaderChange];
  /** Something a person should know; nothing has failed yet. */
  warning: [string];
}

export interface PeersElectionStatus extends LeaderChange {
  readonly nodeId: string;
  /** Those that live. */
  readonly peers: readonly SeenPeer[];
  readonly counters: PeerCounters;
}

const INTERVAL_MS = 500;
const LEAST_INTERVAL_MS = 10;

/**
 * One node's part in an election without a store. While all hear each other at most one leads, also at the start,
 * after a sleep, and when a lower id comes back, which takes over.
 *
 * Not promised: one leader under a partition. Nodes that don't hear each other elect one on each side, and only
 * an epoch that is checked by what they write to tells which is newer; it is kept in no place but in the nodes
 * that live.
 */
export class PeersElection extends EventEmitter<PeersElectionEvents> implements ManagedLeader {
  readonly kind = 'peers';
  readonly nodeId: string;
  readonly #node: PeerNode;
  readonly #intervalMs: number;
  #told: LeaderChange = { isLeader: false, leader: null, target: null, epoch: 0 };
  #hasWarnedOfDuplicate = false;
  #hasWarnedOfSecret = false;
  #hasAsked = false;
  #hasBegun = false;
  #closing: Promise<void> | null = null;
  readonly #forgetSignal: () => void;
  readonly #ready: PromiseWithResolver = promiseWithResolver();

  /** @throws FAILOVER_BAD_OPTION, FAILOVER_BAD_GROUP, FAILOVER_BAD_NODE_ID, FAILOVER_SETTINGS_CONFLICT */
  constructor(options: PeersElectionOptions) {
    super();
    const { peers = [], secret, group = 'default', intervalMs = INTERVAL_MS } = options;
    const { leaseMs = 3 * intervalMs } = options;
    this.nodeId = validateNodeId(
      options.nodeId ?? defaultNodeId({ hostname: hostname(), pid: process.pid }),
      'nodeId',
    );
    requireTimes(intervalMs, leaseMs);
    this.#intervalMs = intervalMs;
    this.#node = new PeerNode({
      group: validateGroup(group, 'group'),
      node: this.nodeId,
      target: parsePeerAddress(options.localTarget, 'localTarget'),
      peers: checkedPeers(peers),
      secret: checkedSecret(secret, peers.length > 0),
      ...{ intervalMs, leaseMs, preempts: true, clock: new BootClock() },
      onChange: () => {
        this.#tell();
      },
    });
    this.#forgetSignal = onAbort(options.signal, () => void this.close());
  }

  /**
   * Resolves once each peer was asked and a leader is known, or it has listened in vain; also when it is closed
   * before. Never rejects.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  isLeader(): boolean {
    return this.#node.isLeading;
  }

  redirectTarget(): string | null {
    return this.#node.leader?.target ?? null;
  }

  /** Of its term, or the highest that it knows. */
  get epoch(): number {
    return this.#node.epoch;
  }

  /** Takes part from now on, and resolves as `ready` does. A second time, or after `close`, it does nothing more. */
  start(): Promise<void> {
    if (this.#closing !== null || this.#hasBegun) return this.ready;
    this.#hasBegun = true;
    void this.#node.begin().then(() => {
      this.#hasAsked = true;
      this.#tell();
    });
    return this.ready;
  }

  /** Leaves: it leads no more at once, and the others are told. Safe at any time and twice; never rejects. */
  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    const { promise, resolve } = promiseWithResolver();
    // Before anybody is told: who hears that it leads no more may close it as well.
    this.#closing = promise;
    void this.#node.close().then(() => {
      this.#forgetSignal();
      this.#ready.resolve();
      resolve();
    });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Takes a heartbeat of a peer, a request for the path `/_ha/heartbeat`, and answers it; false: it is none, and
   * nothing was done. To be asked before anything that forwards, authenticates or reads the body.
   */
  handleHeartbeat(request: IncomingMessage, response: ServerResponse): boolean {
    if (!isHeartbeat(request)) return false;
    answerHeartbeat(this.#node, { request, response }, this.#intervalMs);
    return true;
  }

  status(): PeersElectionStatus {
    const { peers, counters } = this.#node;
    return { ...this.#now(), nodeId: this.nodeId, peers, counters };
  }

  #now(): LeaderChange {
    const { isLeading: isLeader, leader, epoch } = this.#node;
    return { isLeader, leader: leader?.node ?? null, target: leader?.target ?? null, epoch };
  }

  #tell(): void {
    const { hasDuplicateId, hasListened } = this.#node;
    if (hasDuplicateId && !this.#hasWarnedOfDuplicate) {
      this.#hasWarnedOfDuplicate = true;
      const fact = `another node with the id ${this.nodeId} is running: neither leads`;
      this.#warn(`${fact}. Give each node a unique id.`);
    }
    if (!this.#hasWarnedOfSecret && this.#node.counters.unsigned > 0) {
      this.#hasWarnedOfSecret = true;
      const fact = "messages arrive that are not signed with this node's secret";
      this.#warn(`${fact}. Use the same secret on all peers: otherwise each of them leads.`);
    }
    const now = this.#now();
    if (now.isLeader) this.#hasWarnedOfDuplicate = false;
    const { isLeader, leader, target, epoch } = this.#told;
    const isNews = now.isLeader !== isLeader || now.leader !== leader || now.target !== target;
    this.#told = now;
    if (this.#hasAsked && (leader !== null || now.leader !== null || hasListened)) {
      this.#ready.resolve();
    }
    if (isNews || (now.isLeader && now.epoch !== epoch)) callOut(() => this.emit('leader', now));
  }

  #warn(message: string): void {
    callOut(() => this.emit('warning', message));
  }
}

function requireTimes(intervalMs: number, leaseMs: number): void {
  for (const [name, ms, least] of [
    ['intervalMs', intervalMs, LEAST_INTERVAL_MS],
    ['leaseMs', leaseMs, 2 * LEAST_INTERVAL_MS],
  ] as const) {
    if (Number.isFinite(ms) && ms >= least && ms <= MAX_DURATION_MS) continue;
    const expected = `a number of milliseconds, at least ${String(least)}`;
    const fact = `Cannot use ${name}: ${String(ms)} is not ${expected}`;
    throw new FailoverError('FAILOVER_BAD_OPTION', fact, { details: { option: name, expected } });
  }
  if (leaseMs >= 2 * intervalMs) return;
  throw new FailoverError(
    'FAILOVER_SETTINGS_CONFLICT',
    `Cannot run: leaseMs ${formatDuration(leaseMs)} is shorter than two times intervalMs ` +
      formatDuration(intervalMs),
    {
      hint: 'Set leaseMs to at least twice intervalMs, so that one lost heartbeat does not matter.',
    },
  );
}

/** Of more no node hears all: those that it doesn't, it would lead beside, or wait for in vain. */
function checkedPeers(peers: readonly string[]): readonly string[] {
  const addresses = new Set(peers.map((peer) => parsePeerAddress(peer, 'peers')));
  if (addresses.size <= PEER_LIMIT) return [...addresses];
  const fact = `Cannot use peers: there are ${String(addresses.size)}`;
  throw new FailoverError('FAILOVER_BAD_OPTION', fact, {
    details: { option: 'peers', expected: `at most ${String(PEER_LIMIT)} addresses` },
  });
}

/** No message repeats a secret. */
function checkedSecret(secret: string | undefined, isNeeded: boolean): string | null {
  if (secret === undefined && !isNeeded) return null;
  if (secret !== undefined && secret.length >= SECRET_LENGTH) return secret;
  const expected = `at least ${String(SECRET_LENGTH)} characters known only to the peers`;
  const fact = secret === undefined ? 'there is none' : `it has only ${String(secret.length)}`;
  throw new FailoverError('FAILOVER_BAD_OPTION', `Cannot use secret: ${fact}`, {
    details: { option: 'secret', expected },
  });
}

interface PromiseWithResolver {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function promiseWithResolver(): PromiseWithResolver {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
