// The steps of a lease in PostgreSQL: what each statement is given, and what its answer means.
import type { PostgresAddress } from '../../config/lease-url.ts';
import { NOTHING_OBSERVED } from '../../core/state.ts';
import type { PostgresReturn } from '../../guard/messages.ts';
import { parseJson } from '../file/durable-file.ts';
import { name } from '../file/record-fields.ts';
import type { JoinReply } from '../join-alone.ts';
import type { StoredSight, StoreEvent } from '../remote-store.ts';
import { readLeaseHolder, readRival, readStoredNode, readStoreEvent } from '../stored-records.ts';
import { REGISTRATION_TTL_MS } from '../sign-of-life.ts';
import { strangeAnswer } from '../strange-answer.ts';
import type {
  Asker,
  ClaimReply,
  Joining,
  RenewalReply,
  TokenDriver,
  View,
} from '../token-driver.ts';
import type { Parameter, PostgresConnection, Row } from './postgres-client.ts';
import { isCollision, lacksTables, otherVersion } from './postgres-errors.ts';
import * as statements from './statements.ts';

export interface PostgresDriverParts {
  readonly address: PostgresAddress;
  readonly group: string;
  readonly requestTimeoutMs: number;
  /** Longer than a connection takes. */
  readonly returnTimeoutMs: number;
  readonly link: {
    within<Answer>(
      timeoutMs: number,
      act: (connection: PostgresConnection) => Promise<Answer>,
    ): Promise<Answer>;
    close(): void;
  };
}

type Claimed = Parameters<TokenDriver['claim']>[1];

export class PostgresDriver implements TokenDriver {
  readonly signPauseMs: number = statements.SEEN_EVERY_MS;
  readonly #parts: PostgresDriverParts;
  readonly #group: string;
  readonly #channel: string;
  /** Whether this node registers: one that only looks makes no tables. */
  #takesPart = false;

  constructor(parts: PostgresDriverParts) {
    this.#parts = parts;
    this.#group = parts.group;
    this.#channel = statements.channelOf(parts.group);
  }

  async claim(asker: Asker, { token, ttlMs, floor, start }: Claimed): Promise<ClaimReply> {
    const { run, node, record } = asker;
    const what = [run, token, ttlMs, floor, start, node, record, this.#channel];
    const [row] = await this.#run(statements.CLAIM, what);
    if (row === undefined) {
      // A statement that has waited for another sees what was there before that one: it is looked at again.
      const { view, completed } = await this.#view(asker, 0);
      const isCompleted = completed !== null && Number(start) <= completed;
      return { type: 'denied', view, cause: isCompleted ? 'completed' : 'held' };
    }
    const [epochText, previous, paused, isKnown] = row;
    const epoch = count(epochText);
    const observation = {
      ...NOTHING_MORE,
      epoch,
      held: true,
      holder: readLeaseHolder(parsed(record)),
    };
    const view = { observation: { ...observation, paused: isTrue(paused) }, leftMs: ttlMs };
    const granted = { ...view, isKnown: isTrue(isKnown) };
    return { type: 'granted', view: granted, epoch, previous: name(previous) };
  }

  async renew(
    { run }: Asker,
    { token, ttlMs, timeoutMs }: Parameters<TokenDriver['renew']>[1],
  ): Promise<RenewalReply> {
    const [row] = await this.#run(statements.RENEW, [run, token, ttlMs], timeoutMs);
    return { isOurs: isTrue(row?.[0]), by: name(row?.[1]), isKnown: isTrue(row?.[2]) };
  }

  async advance(
    { node }: Asker,
    { token, floor }: Parameters<TokenDriver['advance']>[1],
  ): Promise<number | null> {
    const [row] = await this.#run(statements.ADVANCE, [node, token, floor, this.#channel]);
    return row === undefined ? null : count(row[0]);
  }

  async release({ node }: Asker, token: string): Promise<void> {
    await this.#run(statements.RELEASE, [node, token, this.#channel]);
  }

  returnOrder({ node }: Asker, token: string): PostgresReturn {
    const { address, returnTimeoutMs } = this.#parts;
    const values = [this.#group, node, token, this.#channel];
    const text = statements.RELEASE;
    return { kind: 'postgres', address, text, values, timeoutMs: returnTimeoutMs };
  }

  async look(asker: Asker, known: number): Promise<View> {
    const { view } = await this.#view(asker, known);
    return view;
  }

  async join(
    { run, node, record }: Asker,
    { start, known, alone }: Joining,
  ): Promise<JoinReply<string>> {
    this.#takesPart = true;
    const first = [run, REGISTRATION_TTL_MS, node, record, start === '' ? null : start, known];
    const what = [...first, String(alone !== null), alone?.instead ?? null];
    const [row] = await this.#run(statements.JOIN, what);
    const [isFree, joined, other, seenAgoMs] = row ?? [];
    if (isTrue(isFree)) {
      if (typeof joined !== 'string') throw otherVersion(this.#parts.address.shown);
      return { type: 'joined', joined: String(count(joined)) };
    }
    // A rival that came while the statement waited for it is not seen by the statement.
    const rival = readRival(parsed(other));
    const by = rival === null ? null : { ...rival, seenAgoMs: Number(seenAgoMs) };
    return { type: 'taken', by };
  }

  async leave({ run, node }: Asker): Promise<void> {
    await this.#run(statements.LEAVE, [run, node]);
  }

  async complete(asker: Asker, epoch: number): Promise<void> {
    const what = [asker.node, epoch, this.#channel];
    if ((await this.#run(statements.COMPLETE, what)).length > 0) return;
    // The group was lost meanwhile: it is made anew with its node.
    await this.join(asker, { start: '', known: 0, alone: null });
    await this.#run(statements.COMPLETE, what);
  }

  /** Pauses the group, also for one that is no node, and where nobody has joined the group yet. */
  async pause({ node }: Asker, by: string | null): Promise<void> {
    const rows = await this.#run(statements.PAUSE, [node, by, this.#channel]);
    if (rows.length === 0) throw otherVersion(this.#parts.address.shown);
  }

  async listNodes(): Promise<readonly StoredSight[]> {
    const rows = await this.#look(statements.LIST, [REGISTRATION_TTL_MS]);
    return rows.flatMap(([record, agoMs]) => {
      const node = readStoredNode(parsed(record));
      return node === null ? [] : [{ ...node, seenAgoMs: Math.max(0, Number(agoMs)) }];
    });
  }

  async readEvents(limit: number): Promise<readonly StoreEvent[]> {
    const rows = await this.#look(statements.EVENTS, [limit]);
    return rows.flatMap(([node, action, epoch, at]) => {
      const event = readStoreEvent({ node, action, epoch, at: count(at) });
      return event === null ? [] : [event];
    });
  }

  close(): void {
    this.#parts.link.close();
  }

  async #view(
    { run }: Asker,
    known: number,
  ): Promise<{ readonly view: View; readonly completed: number | null }> {
    const [row] = await this.#look(statements.LOOK, [run, known]);
    if (row === undefined) {
      if (this.#takesPart) throw strangeAnswer(HINT);
      return NOTHING_THERE;
    }
    const [version, epoch, left, holder, paused, isKnown, completed] = row;
    // No version means that nothing is known of the group, until one of its nodes registers again.
    if (version !== null && version !== '1') throw otherVersion(this.#parts.address.shown);
    const leftMs = left === null || left === undefined ? null : Number(left);
    const held = leftMs !== null && leftMs > 0;
    const shown = {
      epoch: count(epoch),
      held,
      holder: readLeaseHolder(parsed(holder)),
      paused: isTrue(paused),
    };
    const view = {
      observation: { ...NOTHING_MORE, ...shown },
      leftMs: held ? leftMs : null,
      isKnown: version !== null && isTrue(isKnown),
    };
    return { view, completed: version === null ? null : Number(completed) };
  }

  /** Runs a query as below; no rows where there are no tables, and whoever looks takes no part. */
  async #look(text: string, what: readonly Parameter[]): Promise<readonly Row[]> {
    if (this.#takesPart) return this.#run(text, what);
    const { link, requestTimeoutMs } = this.#parts;
    return link.within(requestTimeoutMs, async (connection) => {
      try {
        return await connection.query(text, [this.#group, ...what]);
      } catch (error) {
        if (lacksTables(error)) return [];
        throw error;
      }
    });
  }

  /** A statement, with the group before all else that it takes. */
  #run(
    text: string,
    what: readonly Parameter[],
    timeoutMs: number = this.#parts.requestTimeoutMs,
  ): Promise<readonly Row[]> {
    return this.#parts.link.within(timeoutMs, (connection) =>
      untilDone(connection, text, [this.#group, ...what]),
    );
  }
}

/** Where there are no tables, they are made; what has collided with another's is done again. */
async function untilDone(
  connection: PostgresConnection,
  text: string,
  values: readonly Parameter[],
): Promise<readonly Row[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connection.query(text, values);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      if (lacksTables(error)) await create(connection);
      else if (!isCollision(error)) throw error;
    }
  }
}

async function create(connection: PostgresConnection): Promise<void> {
  try {
    await connection.script(statements.CREATE);
  } catch (error) {
    // Another node has made them.
    if (!isCollision(error)) throw error;
  }
}

const ATTEMPTS = 5;

/** Tables that were lost have an epoch from their nodes, and no holder: nothing to be read. */
const NOTHING_MORE = { recordUnreadable: false, touch: null } as const;

const NOTHING_THERE = {
  view: { observation: NOTHING_OBSERVED, leftMs: null, isKnown: false },
  completed: null,
} as const;

function parsed(content: string | null | undefined): unknown {
  return typeof content === 'string' ? parseJson(content) : null;
}

function isTrue(value: string | null | undefined): boolean {
  return value === 't';
}

function count(value: string | null | undefined): number {
  const number = Number(value ?? Number.NaN);
  if (!Number.isSafeInteger(number) || number < 0) throw strangeAnswer(HINT);
  return number;
}

const HINT = 'Check that only failover nodes write to the tables in its schema `failover`.';
