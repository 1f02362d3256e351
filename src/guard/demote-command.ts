// The demote command of a node whose supervisor is gone: run by its guard, once, before what runs is ended.
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { noteSession } from '../fence/own-sessions.ts';
import { readIdentity } from '../fence/process-identity.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';
import { gateWords, openingText } from '../workload/gate-script.ts';
import { killGroupOf, spawnBehindGate } from './gated-child.ts';
import type { GatedOrder } from './gated-child.ts';
import { ownSession } from './in-sight.ts';
import type { DemoteOrder, SpawnOrder } from './messages.ts';

/** Behind its gate until `run`: its session is to be known by then to whoever would have to end it. */
export class DemoteCommand {
  /** The session of the command; null: it could not be started, and only its own effect is lost. */
  readonly session: SessionRecord | null;
  readonly #opening: string;
  readonly #child: ChildProcess | null;
  readonly #ended: Promise<void>;

  constructor(
    demotion: DemoteOrder,
    { deathSignal, starter }: Pick<SpawnOrder, 'deathSignal' | 'starter'>,
  ) {
    const { environment, output } = demotion;
    const command = ['sh', '-c', demotion.command];
    this.#opening = openingText(demotion.message, gateWords(command, environment));
    const child = startOrNull({ command, environment, deathSignal, output }, demotion.lockFile);
    const identity = child?.pid === undefined ? null : readIdentity(child.pid);
    this.session = identity === null ? null : ownSession(identity, starter);
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
  async run(limitMs: number): Promise<void> {
    if (this.session === null) this.#child?.stdin?.end();
    else this.#child?.stdin?.end(this.#opening);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(limitMs, TIMER_LIMIT_MS));
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
  }

  kill(): void {
    killGroupOf(this.#child);
  }
}

/** With the lock's file open, and no lock: who has it open is found, and keeps nobody from starting. */
function startOrNull(order: GatedOrder, lockFile: string): ChildProcess | null {
  const fd = openOrNull(lockFile);
  try {
    return spawnBehindGate(order, fd === null ? [] : [fd]);
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    // What it starts and what leaves its session then goes on.
    return null;
  }
}
