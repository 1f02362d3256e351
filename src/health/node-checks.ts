// The checks of a node's own health, as its core orders them: one at a time, and each ended in its time.
import type { PolledCheck } from '../config/polled-check.ts';
import type { CheckAnswer, HealthSubject } from '../core/health.ts';
import { readCpuPressure } from '../fence/process-view.ts';
import type { HealthChecks } from '../runtime/ports.ts';
import { attemptCheck } from './attempt.ts';
import type { CheckResult } from './check-result.ts';
import { pause } from './pause.ts';

export interface NodeCheckParts {
  /** What is asked about each; null: nothing. */
  readonly checks: Readonly<Record<HealthSubject, PolledCheck | null>>;
  /** What a command is told, on top of this process's own environment. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Whether a command is ended with this process. */
  readonly deathSignal: boolean;
}

export class NodeChecks implements HealthChecks {
  readonly #parts: NodeCheckParts;
  #current: { readonly controller: AbortController; readonly done: Promise<unknown> } | null = null;

  constructor(parts: NodeCheckParts) {
    this.#parts = parts;
  }

  async check(subject: HealthSubject, timeoutMs: number): Promise<CheckAnswer> {
    const check = this.#parts.checks[subject];
    if (check === null) return failed('no check is configured for it');
    await this.#endCurrent(timeoutMs);
    if (this.#current !== null) return timedOut('the previous check is still running');
    const controller = new AbortController();
    const done = attemptCheck(check, {
      timeoutMs,
      signal: controller.signal,
      environment: check.kind === 'exec' ? this.#parts.environment() : {},
      deathSignal: this.#parts.deathSignal,
    });
    this.#current = { controller, done };
    const result = await done;
    this.#current = null;
    return answerOf(result);
  }

  async close(): Promise<void> {
    await this.#endCurrent(CLOSE_LIMIT_MS);
  }

  /** Waits no longer than that: a process in an uninterruptible wait ends when it does. */
  async #endCurrent(limitMs: number): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    current.controller.abort();
    const limit = new AbortController();
    await Promise.race([current.done, pause(limitMs, limit.signal)]);
    limit.abort();
  }
}

/** How long an ending node waits for the end of a check, ms. */
const CLOSE_LIMIT_MS = 1_000;

function answerOf(result: CheckResult): CheckAnswer {
  if (result.healthy) return { outcome: 'passed', detail: '', cpuPressure: null };
  const { reason, error } = result;
  if (reason === 'timed-out') return timedOut(error);
  const isMade = reason !== 'failed' && reason !== 'cancelled';
  return isMade ? failed(error) : { outcome: 'not-made', detail: error, cpuPressure: null };
}

function failed(detail: string): CheckAnswer {
  return { outcome: 'failed', detail, cpuPressure: null };
}

/** Whether the machine is what was slow is the core's to judge. */
function timedOut(detail: string): CheckAnswer {
  return { outcome: 'timed-out', detail, cpuPressure: readCpuPressure() };
}
