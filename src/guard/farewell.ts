// The demote command of a node whose supervisor is gone: run by its guard, once, before what runs is ended.
import type { ChildProcess } from 'node:child_process';
import { noteSession } from '../fence/own-sessions.ts';
import { readIdentity } from '../fence/process-identity.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import { gateWords, openingText } from '../workload/gate-script.ts';
import { killGroupOf, sessionRecord, spawnBehindGate } from './gated-child.ts';
import type { DemoteOrder } from './messages.ts';

/** Behind its gate until `say`: its session is to be known by then to whoever would have to end it. */
export class Farewell {
  /** Null: it could not be started, and nothing is lost by that but what it would have done. */
  readonly session: SessionRecord | null;
  readonly #opening: string;
  readonly #child: ChildProcess | null;
  readonly #ended: Promise<void>;

  constructor({ command, environment, message }: DemoteOrder, deathSignal: boolean) {
    const order = { command: ['sh', '-c', command], environment, deathSignal };
    this.#opening = openingText(message, gateWords(order.command, environment));
    const child = startOrNull(order);
    const identity = child?.pid === undefined ? null : readIdentity(child.pid);
    this.session = identity === null ? null : sessionRecord(identity);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      if (child === null) resolve();
      child?.once('error', () => {
        resolve();
      });
      child?.once('exit', () => {
        // What it has started is known by its number, which is nobody else's as yet.
        if (this.session !== null) noteSession(this.session);
        resolve();
      });
    });
  }

  /** Lets it run, until it has ended or the time is over. What it leaves is its session. Never rejects. */
  async say(limitMs: number): Promise<void> {
    if (this.session === null) this.#child?.stdin?.end();
    else this.#child?.stdin?.end(this.#opening);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(limitMs, LONGEST_TIMER_MS));
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
  }

  kill(): void {
    killGroupOf(this.#child);
  }
}

/** Past this a timer of the platform fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function startOrNull(order: Parameters<typeof spawnBehindGate>[0]): ChildProcess | null {
  try {
    return spawnBehindGate(order, []);
  } catch {
    return null;
  }
}
