// What a drill was told: each flag checked, with its limits.
import { availableParallelism } from 'node:os';
import type { ClientOptions } from '../../config/load.ts';
import { badOption, limitedDuration, wholeNumber } from '../flag-values.ts';
import { DRILL_FAULTS, isDrillFault } from './faults.ts';
import type { DrillFault } from './faults.ts';

export interface DrillOptions extends ClientOptions {
  readonly faults: readonly DrillFault[];
  /** Whether the faults were chosen, or are all there are. */
  readonly isChosen: boolean;
  readonly rounds: number;
  readonly withinMs: number | null;
  readonly restartCommand: string | null;
  readonly loops: number;
  readonly starveMs: number;
  readonly timeoutMs: number;
  readonly allowMixedVersions: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** @throws FAILOVER_BAD_OPTION */
export function readDrillOptions(
  client: ClientOptions,
  flags: Readonly<Record<string, unknown>>,
): DrillOptions {
  const text = (key: string): string | null => {
    const value = flags[key];
    return typeof value === 'string' ? value : null;
  };
  const duration = (key: string, flag: string): number | null => {
    const value = text(key);
    return value === null ? null : limitedDuration(value, flag);
  };
  const chosen = text('faults');
  const restartCommand = text('restartCommand');
  if (restartCommand?.trim() === '')
    throw badOption('--restart-command', 'it is empty', 'a command');
  return {
    ...client,
    faults: chosen === null ? DRILL_FAULTS : faultsOf(chosen),
    isChosen: chosen !== null,
    rounds: wholeNumber('--rounds', text('rounds'), { least: 1, most: MOST_ROUNDS }) ?? 1,
    withinMs: duration('within', '--within'),
    restartCommand,
    loops:
      wholeNumber('--loops', text('loops'), { least: 1, most: MOST_LOOPS }) ??
      Math.min(MOST_LOOPS, LOOPS_PER_PROCESSOR * availableParallelism()),
    starveMs: bounded(duration('starveTime', '--starve-time') ?? STARVE_MS),
    timeoutMs: duration('timeout', '--timeout') ?? TIMEOUT_MS,
    allowMixedVersions: flags['allowMixedVersions'] === true,
    yes: flags['yes'] === true,
    json: flags['json'] === true,
  };
}

const MOST_ROUNDS = 100;
const MOST_LOOPS = 256;
const LOOPS_PER_PROCESSOR = 4;
const STARVE_MS = 10_000;
const TIMEOUT_MS = 60_000;

/** A machine without a free processor is a nuisance for whoever else works on it. */
const MOST_STARVE_MS = 10 * 60 * 1000;

function bounded(starveMs: number): number {
  if (starveMs > 0 && starveMs <= MOST_STARVE_MS) return starveMs;
  throw badOption('--starve-time', 'it is out of range', 'a time above 0 and at most 10m');
}

/** Each once, in the order in which they are given. */
function faultsOf(text: string): readonly DrillFault[] {
  const faults = text.split(',').map((word) => {
    const fault = word.trim();
    if (isDrillFault(fault)) return fault;
    const known = `some of ${DRILL_FAULTS.join(', ')}, separated by commas`;
    throw badOption('--faults', `"${fault}" is not a fault`, known);
  });
  return [...new Set(faults)];
}
