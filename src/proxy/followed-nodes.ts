// The nodes of a group that a proxy listens to: all that are on record, so that the next primary is heard at once.
import type { Endpoints } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import { readAttachAnswer } from '../runtime/attach-answer.ts';
import type { AttachAnswer } from '../runtime/attach-answer.ts';
import type { Follower, Link, Links } from '../transport/link.ts';
import type { RpcMethod } from '../transport/rpc-message.ts';
import type { BusMessage } from '../transport/wire.ts';
import type { SeenMember } from './group-sight.ts';

/** A proxy connects to no more nodes of a group than these. */
const MEMBERS_LIMIT = 64;

export interface FollowedNodesOptions {
  readonly group: string;
  /** Random, new for each life of the process. */
  readonly proxy: string;
  readonly links: Links;
  /** Whether what is asked is signed: then it says who asks, and whom. */
  readonly isSealed: boolean;
  /** Of the one whose connection it came through, and not heard before. */
  readonly onMessage: (message: BusMessage) => void;
  readonly onLost: (run: string) => void;
  /** One can't be connected to. */
  readonly onTrouble: (message: string) => void;
}

interface Followed {
  readonly endpoints: Endpoints;
  readonly follower: Follower;
  readonly link: Link;
}

export class FollowedNodes {
  readonly #options: FollowedNodesOptions;
  readonly #nodes = new Map<string, Followed>();
  #requestSeq = 0;

  constructor(options: FollowedNodesOptions) {
    this.#options = options;
  }

  /** Listens to these and to no others; the one named first is among them in any case. */
  follow(members: readonly SeenMember[], first: string | null): void {
    const ordered = [...members].sort((a, b) => Number(b.run === first) - Number(a.run === first));
    const wanted = new Map(ordered.slice(0, MEMBERS_LIMIT).map((member) => [member.run, member]));
    for (const [run, { endpoints }] of this.#nodes) {
      const now = wanted.get(run)?.endpoints;
      if (now?.bus !== endpoints.bus || now.rpc !== endpoints.rpc) this.#leave(run);
    }
    for (const member of wanted.values()) {
      if (!this.#nodes.has(member.run)) this.#join(member);
    }
  }

  /** @throws FAILOVER_NODE_UNREACHABLE, FAILOVER_TIMED_OUT, and what the node answers */
  async attach(run: string, epoch: number, timeoutMs: number): Promise<AttachAnswer> {
    const answer = readAttachAnswer(await this.#call(run, 'instance.attach', { epoch, timeoutMs }));
    if (answer !== null) return answer;
    throw new FailoverError('FAILOVER_WIRE_INVALID', 'Cannot use the answer of the primary');
  }

  /** @throws as `attach` */
  async drained(run: string, epoch: number, timeoutMs: number): Promise<void> {
    await this.#call(run, 'instance.drained', { epoch, timeoutMs });
  }

  close(): void {
    for (const run of [...this.#nodes.keys()]) this.#leave(run);
  }

  async #call(
    run: string,
    method: RpcMethod,
    { epoch, timeoutMs }: { readonly epoch: number; readonly timeoutMs: number },
  ): Promise<unknown> {
    const { group, proxy, isSealed } = this.#options;
    const link = this.#nodes.get(run)?.link;
    if (link === undefined) {
      const message = 'Cannot ask the primary: it is not connected';
      throw new FailoverError('FAILOVER_NODE_UNREACHABLE', message);
    }
    this.#requestSeq += 1;
    const signed = isSealed ? { from: proxy, to: run, seq: this.#requestSeq } : {};
    return await link.call({ method, params: { group, proxy, epoch, ...signed }, timeoutMs });
  }

  #join({ run, endpoints }: SeenMember): void {
    const { group, links, onMessage, onLost, onTrouble } = this.#options;
    let lastSeq = 0;
    const follower: Follower = {
      group,
      messageArrived: (message) => {
        if (message.run !== run || message.seq <= lastSeq) return;
        lastSeq = message.seq;
        onMessage(message);
      },
      linkLost: () => {
        onLost(run);
      },
    };
    try {
      this.#nodes.set(run, { endpoints, follower, link: links.acquire(endpoints, follower) });
    } catch (error) {
      onTrouble(messageOf(error));
    }
  }

  #leave(run: string): void {
    const followed = this.#nodes.get(run);
    if (followed === undefined) return;
    this.#nodes.delete(run);
    this.#options.links.release(followed.endpoints, followed.follower);
  }
}
