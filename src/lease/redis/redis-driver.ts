// The steps of a lease in Redis: what each script is given, and what its answer means.
import type { RedisAddress } from '../../config/lease-url.ts';
import type { RedisReturn } from '../../guard/messages.ts';
import type { JoinReply } from '../join-alone.ts';
import type { StoredSight, StoreEvent } from '../remote-store.ts';
import { REGISTRATION_TTL_MS } from '../sign-of-life.ts';
import type { StoreLink } from '../store-link.ts';
import type {
  Asker,
  ClaimReply,
  Joining,
  RenewalReply,
  TokenDriver,
  View,
} from '../token-driver.ts';
import type { RedisConnection } from './redis-client.ts';
import * as replies from './replies.ts';
import { runScript } from './run-script.ts';
import type { Script } from './run-script.ts';
import * as scripts from './scripts.ts';

export interface RedisDriverParts {
  readonly address: RedisAddress;
  readonly group: string;
  readonly requestTimeoutMs: number;
  /** Longer than a connection takes. */
  readonly returnTimeoutMs: number;
  readonly link: Pick<StoreLink<RedisConnection>, 'within' | 'close'>;
}

export class RedisDriver implements TokenDriver {
  /** With each look. */
  readonly signPauseMs = 0;
  readonly #parts: RedisDriverParts;
  readonly #keys: readonly string[];
  readonly #channel: string;

  constructor(parts: RedisDriverParts) {
    this.#parts = parts;
    this.#keys = scripts.keysOf(parts.group);
    this.#channel = scripts.channelOf(parts.group);
  }

  async claim(
    { run, node, record }: Asker,
    { token, ttlMs, floor, start }: Parameters<TokenDriver['claim']>[1],
  ): Promise<ClaimReply> {
    const what = [run, token, ttlMs, floor, start, node, record];
    return replies.readClaim(await this.#run(scripts.CLAIM, what));
  }

  async renew(
    { run }: Asker,
    { token, ttlMs, timeoutMs }: Parameters<TokenDriver['renew']>[1],
  ): Promise<RenewalReply> {
    const what = [run, token, ttlMs, REGISTRATION_TTL_MS];
    return replies.readRenewal(await this.#run(scripts.RENEW, what, timeoutMs));
  }

  async advance(
    { node }: Asker,
    { token, floor }: Parameters<TokenDriver['advance']>[1],
  ): Promise<number | null> {
    return replies.readAdvance(await this.#run(scripts.ADVANCE, [token, floor, node]));
  }

  async release({ node }: Asker, token: string): Promise<void> {
    await this.#run(scripts.RELEASE, [token, node]);
  }

  returnOrder({ node }: Asker, token: string): RedisReturn {
    const { address, returnTimeoutMs } = this.#parts;
    const { host, port, tls, username, password, database } = address;
    const user = username === null ? [] : [username];
    const count = String(this.#keys.length);
    return {
      kind: 'redis',
      ...{ host, port, tls },
      greeting: [
        ...(password === null ? [] : [['AUTH', ...user, password]]),
        ...(database === 0 ? [] : [['SELECT', String(database)]]),
      ],
      request: ['EVAL', scripts.RELEASE.text, count, ...this.#keys, ...this.#argsOf([token, node])],
      timeoutMs: returnTimeoutMs,
    };
  }

  async look({ run }: Asker, known: number): Promise<View> {
    return replies.readView(await this.#run(scripts.LOOK, [run, REGISTRATION_TTL_MS, known]));
  }

  /** The highest epoch that is known here waits for the next look. */
  async join({ run, node, record }: Asker, { start, alone }: Joining): Promise<JoinReply<string>> {
    const id = alone === null ? '' : scripts.idIn(node);
    const what = [run, REGISTRATION_TTL_MS, node, record, start, id, alone?.instead ?? ''];
    return replies.readJoin(await this.#run(scripts.JOIN, what), REGISTRATION_TTL_MS);
  }

  async leave({ run, node }: Asker): Promise<void> {
    await this.#run(scripts.LEAVE, [run, node]);
  }

  async complete({ node }: Asker, epoch: number): Promise<void> {
    await this.#run(scripts.COMPLETE, [node, epoch]);
  }

  async pause({ node }: Asker, by: string | null): Promise<void> {
    await this.#run(scripts.PAUSE, [node, by ?? '']);
  }

  async listNodes(): Promise<readonly StoredSight[]> {
    return replies.readNodes(await this.#run(scripts.LIST, []), REGISTRATION_TTL_MS);
  }

  async readEvents(limit: number): Promise<readonly StoreEvent[]> {
    return replies.readEvents(await this.#run(scripts.EVENTS, [limit]));
  }

  close(): void {
    this.#parts.link.close();
  }

  #run(
    script: Script,
    what: readonly (string | number)[],
    timeoutMs: number = this.#parts.requestTimeoutMs,
  ): Promise<unknown> {
    const request = { keys: this.#keys, args: this.#argsOf(what) };
    return this.#parts.link.within(timeoutMs, (connection) =>
      runScript(connection, script, request),
    );
  }

  /** What every script takes, and then its own. */
  #argsOf(what: readonly (string | number)[]): readonly string[] {
    return [this.#channel, ...what.map(String)];
  }
}
