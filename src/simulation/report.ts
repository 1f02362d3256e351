// What came of a simulation, in words.
import { plural } from '../core/counted.ts';
import { PROMISES } from './checker.ts';
import type { Campaign, Failure, Totals } from './campaign.ts';
import { FAULT_KINDS } from './faults.ts';

export interface Pace {
  /** Of real time, ms. */
  readonly tookMs: number;
}

/** One line while it runs. */
export function progressLine({ runs, steps, activations }: Totals, goal: number): string {
  const share = Math.min(100, Math.floor((100 * steps) / goal));
  const done = `${count(runs, 'run')}, ${count(steps, 'step')}, ${count(activations, 'start')}`;
  return `${String(share)} %: ${done}`;
}

export function summaryLines({ totals, failure }: Campaign, pace: Pace): readonly string[] {
  const { runs, steps, simulatedMs, activations, fences, repeats, digest } = totals;
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  const perSecond = count(stepsPerSecond(totals, pace), 'step');
  const struck = FAULT_KINDS.flatMap((kind) => {
    const times = totals.faults[kind];
    return times === undefined ? [] : [`${kind} ${String(times)}`];
  });
  return [
    `${count(runs, 'run')}, ${count(steps, 'step')}, ${hours} simulated hours; ${perSecond} a second`,
    `workloads started ${number(activations)}, supervisors fenced ${number(fences)}`,
    `longest recovery ${(totals.longestRecoveryMs / 1000).toFixed(1)} s`,
    ...(repeats === 0
      ? []
      : [`epochs that nobody could know of after a removal ${number(repeats)}`]),
    `faults ${struck.length === 0 ? 'none' : struck.join(', ')}`,
    `digest ${digest}`,
    failure === null ? 'Every guarantee held.' : failureLine(failure),
  ];
}

export function failureLine({ violation }: Pick<Failure, 'violation'>): string {
  const { promise, atMs, what } = violation;
  return `BROKEN ${promise} (${PROMISES[promise]}) at ${atMs.toFixed(1)} ms: ${what}`;
}

export function stepsPerSecond({ steps }: Pick<Totals, 'steps'>, { tookMs }: Pace): number {
  return Math.round((1000 * steps) / Math.max(1, tookMs));
}

/** `1 step`, `2,000 steps`. */
export function count(value: number, noun: string): string {
  return `${number(value)} ${plural(value, noun)}`;
}

/** With a comma at each thousand. */
function number(value: number): string {
  return String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}
