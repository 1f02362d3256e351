// What must hold between the settings of health checks.
import { formatDuration, parseDuration } from './duration.ts';
import type { RunOptions } from './load.ts';
import { optionOf } from './options.ts';
import type { Relation } from './relations.ts';

export const HEALTH_RELATIONS: readonly Relation[] = [
  onlyChecksHaveTimes,
  timeoutFitsInterval,
  fastIsNotSlower,
  hotWorkloadsAreAskedThemselves,
];

type Show = Parameters<Relation>[1];

/** Somebody would believe that something is checked. What would be so by itself is no such wish. */
function onlyChecksHaveTimes(
  options: RunOptions,
  show: Show,
  isGiven: Parameters<Relation>[2],
): ReturnType<Relation> {
  const { health, standbyHealth } = options;
  const isChecked = health !== null || standbyHealth !== null;
  const key = CHECK_SETTINGS.find((candidate) => {
    const isOfWorkload = candidate === 'healthGrace';
    const isUseless = isOfWorkload ? health === null : !isChecked;
    return isUseless && isGiven(candidate) && isChanged(candidate, options);
  });
  if (key === undefined) return null;
  const what = key === 'healthGrace' ? 'the health of the command' : 'health checks';
  return {
    fact: `${show(key)} is about ${what}, which is not checked`,
    hint: 'Add --health, such as --health http://127.0.0.1:8080/health, or omit it.',
  };
}

const CHECK_SETTINGS = [
  'healthInterval',
  'healthTimeout',
  'healthFastInterval',
  'fall',
  'rise',
  'healthGrace',
] as const;

function isChanged(key: (typeof CHECK_SETTINGS)[number], options: RunOptions): boolean {
  const { default: text } = optionOf(key);
  if (text === null) return true;
  return key === 'fall' || key === 'rise'
    ? options[key] !== Number(text)
    : options[`${key}Ms`] !== parseDuration(text);
}

/** One check at a time: the next is not to wait for the one before it. */
function timeoutFitsInterval(options: RunOptions, show: Show): ReturnType<Relation> {
  if (options.healthTimeoutMs <= options.healthIntervalMs) return null;
  const most = formatDuration(options.healthIntervalMs);
  return {
    fact: `${show('healthTimeout')} is longer than ${show('healthInterval')}`,
    hint: `Set --health-timeout to at most ${most}, or raise --health-interval.`,
  };
}

function fastIsNotSlower(options: RunOptions, show: Show): ReturnType<Relation> {
  const { healthFastIntervalMs, healthIntervalMs } = options;
  if (healthFastIntervalMs === null || healthFastIntervalMs <= healthIntervalMs) return null;
  return {
    fact: `${show('healthFastInterval')} is longer than ${show('healthInterval')}`,
    hint: `Set --health-fast-interval to at most ${formatDuration(healthIntervalMs)}, or omit it.`,
  };
}

function hotWorkloadsAreAskedThemselves(
  { standby, standbyHealth }: RunOptions,
  show: Show,
): ReturnType<Relation> {
  if (standby !== 'hot' || standbyHealth === null) return null;
  return {
    fact: `${show('standbyHealth')} is for standbys where the command is not running, but with ${show('standby')} it is`,
    hint: 'Use --health alone: it also runs on standbys.',
  };
}
