// What a proxy has counted since it began, and how it says so.
import type { RefusalCode } from './refusals.ts';

export class ProxyCounts {
  requests = 0;
  /** Answered by the primary, from first to last byte. */
  answered = 0;
  /** Of these, answered by a node that was chosen to read from. */
  reads = 0;
  /** Times that a request was sent once more. */
  repeated = 0;
  /** WebSockets. */
  upgraded = 0;
  /** Clients that went away before they had an answer. */
  clientsGone = 0;
  /** Answers that broke off after the client had a part of them. */
  cut = 0;
  /** Clients that were turned away since there were too many. */
  clientsRefused = 0;
  readonly refused: Map<RefusalCode, number> = new Map<RefusalCode, number>();

  refuse(code: RefusalCode): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  refusedFor(code: RefusalCode): number {
    return this.refused.get(code) ?? 0;
  }
}
