// A drill for people: what it would do, how each round went, and the certificate.
import { formatDuration, humanMs } from '../../core/duration-text.ts';
import type { Certificate, FaultEntry, NodeEntry, PlayedRound } from '../drill/certificate.ts';
import type { DrillFault } from '../drill/faults.ts';
import type { DrillOptions } from '../drill/options.ts';
import type { PlannedFault } from '../drill/plan.ts';
import type { Scene } from '../drill/scene.ts';
import { problemsOf } from '../drill/verdict.ts';
import type { Paint } from './paint.ts';
import { printable } from './plain.ts';
import { table } from './table.ts';

/** What is going to be done, before anybody agrees. */
export function planLines(
  { group, primary, secondaries }: Scene,
  plan: readonly PlannedFault[],
  { rounds, loops, starveMs, restartCommand }: DrillOptions,
): string[] {
  const next = secondaries.map(({ id }) => id).join(', then ');
  const often = rounds === 1 ? '' : `, ${String(rounds)} rounds`;
  const names = Math.max(...plan.map(({ fault }) => fault.length));
  const deeds: Readonly<Record<DrillFault, string>> = {
    switchover: 'promote the next in succession',
    'workload-crash': "SIGKILL to the main process of the primary's command",
    starve: `${String(loops)} busy loops for ${formatDuration(starveMs)}`,
    crash: "SIGKILL to the primary's node",
    hang: "SIGSTOP to the primary's node, until it is fenced",
  };
  return [
    `Drill of group ${group}: ${primary.id} is primary, next ${next}${often}.`,
    ...plan.map(({ fault, skipped }) => {
      const deed = skipped === null ? deeds[fault] : `left out: ${skipped}`;
      return `  ${fault.padEnd(names)}  ${printable(deed)}`;
    }),
    restartCommand === null
      ? 'The command is down for a moment each time; a node that is killed or fenced stays down.'
      : `The command is down for a moment each time; a lost node is restarted by: ${printable(restartCommand)}`,
  ];
}

/** How one round went. */
export function roundLine({ outcome, problems }: PlayedRound): string {
  const { fault, after, downtimeMs, expected } = outcome;
  const all = [...problemsOf(outcome), ...problems];
  if (all.length > 0) return `${fault}: NOT HELD: ${all.join('; ')}`;
  if (after === null || expected === 'no-change') return `${fault}: nothing changed, as it should`;
  const down = downtimeMs === null ? '' : `, ${humanMs(downtimeMs)} without a workload`;
  return `${fault}: ${after.node} is primary at epoch ${String(after.epoch)}${down}`;
}

export function certificateLines(certificate: Certificate, paint: Paint): string[] {
  const { faults, endedBecause } = certificate;
  const head = HEAD.map((title) => paint.faint(title));
  return [
    heading(certificate, paint),
    '',
    ...table([head, ...faults.filter(isTried).map((entry) => row(entry, paint))]),
    '',
    ...faults.flatMap((entry) => remarks(entry, paint)),
    ...(endedBecause === null ? [] : [fact('ended', endedBecause, paint)]),
    ...facts(certificate, paint),
  ];
}

const HEAD = ['FAULT', 'ROUNDS', 'MEDIAN DOWN', 'LONGEST', 'BOUND', 'VERDICT'];
const LABEL_WIDTH = 10;

const isTried = ({ verdict }: FaultEntry): boolean => verdict !== 'skipped';

function heading(
  { group, verdict, interrupted, startedAt, withinMs }: Certificate,
  paint: Paint,
): string {
  const tone = { held: paint.good, broken: paint.bad, incomplete: paint.warn }[verdict];
  const words = {
    held: 'everything held',
    broken: 'not everything held',
    incomplete: 'not completed',
  };
  const how = interrupted ? `${words[verdict]} (interrupted)` : words[verdict];
  const allowed = withinMs === null ? '' : `, at most ${formatDuration(withinMs)} allowed`;
  return `${paint.strong(group)}  drill of ${startedAt}${allowed}: ${tone(how)}`;
}

function row(entry: FaultEntry, paint: Paint): string[] {
  const { fault, rounds, downtimeMs, bound, verdict } = entry;
  const tone = {
    held: paint.good,
    broken: paint.bad,
    incomplete: paint.warn,
    skipped: paint.faint,
  };
  return [
    fault,
    String(rounds.length),
    downtimeMs === null ? '-' : humanMs(downtimeMs.median),
    downtimeMs === null ? '-' : humanMs(downtimeMs.max),
    bound === null ? (fault === 'starve' ? 'no change' : '-') : humanMs(bound.ms),
    tone[verdict](verdict),
  ];
}

/** What a row has no room for. */
function remarks({ fault, skipped, leftOut, rounds }: FaultEntry, paint: Paint): string[] {
  const of = (label: string, text: string): string => fact(label, `${fault}: ${text}`, paint);
  const skips = skipped === null ? [] : [of('left out', skipped)];
  const missing = [...new Set(leftOut)].map((why) => of('left out', why));
  const seen = rounds.flatMap(({ round, problems, notes }) => {
    const where = rounds.length > 1 ? `round ${String(round)}: ` : '';
    return [
      ...problems.map((problem) => of('NOT HELD', `${where}${problem}`)),
      ...notes.map((remark) => of('note', `${where}${remark}`)),
    ];
  });
  return [...skips, ...missing, ...seen];
}

function facts(certificate: Certificate, paint: Paint): string[] {
  const { epochs, primary, sampling, faults, nodes, directory, version, tookMs } = certificate;
  const rise = epochs.strictlyIncreasing ? 'each higher than the one before' : 'NOT EACH HIGHER';
  const bounds = faults.flatMap(({ fault, bound }) => {
    return bound === null ? [] : [fact('bound', `${fault}: ${bound.why}`, paint)];
  });
  return [
    fact('primary', `${primary.before} before, ${primary.after ?? 'NOBODY'} after`, paint),
    fact('epochs', `${epochs.served.join(', ')}: ${rise}`, paint),
    fact('overlaps', overlapText(sampling), paint),
    fact('observed', observedText(certificate), paint),
    ...bounds,
    fact('nodes', nodes.map(nodeText).join('; '), paint),
    ...settingsOf(nodes).map((text) => fact('settings', text, paint)),
    fact('by', `failover ${version} in ${humanMs(tookMs)}, on ${directory}`, paint),
  ];
}

function overlapText({ overlaps }: Certificate['sampling']): string {
  return overlaps.length === 0 ? 'none seen' : `${String(overlaps.length)} SEEN`;
}

/** What was not looked at can't be vouched for. */
function observedText({ sampling, faults }: Certificate): string {
  const { looks, medianGapMs, longestGapMs, lockLooks } = sampling;
  const gaps = faults.flatMap(({ fault, rounds }) => {
    return fault === 'starve' ? [] : rounds.map(({ watched }) => watched.longestGapMs);
  });
  const closely =
    gaps.length === 0 ? '' : `, while a role changed ${humanMs(Math.max(...gaps))} at most`;
  return (
    `${String(looks)} samples of the processes, ${humanMs(medianGapMs)} apart and once ` +
    `${humanMs(longestGapMs)}${closely}; ${String(lockLooks)} at all holders of the lock. ` +
    'Not observed: what came and went between two samples'
  );
}

function nodeText({ id, version, standby, predictedMs, hangMs }: NodeEntry): string {
  const crash = predictedMs === null ? 'not rehearsed' : humanMs(predictedMs);
  const hang = hangMs === null ? 'none' : formatDuration(hangMs);
  return `${id} ${version} ${standby} (predicts crash ${crash}, hang ${hang})`;
}

/** The settings that matter to the bounds, and which nodes have them. */
function settingsOf(nodes: readonly NodeEntry[]): readonly string[] {
  const idsBySettings = new Map<string, string[]>();
  for (const { id, settings } of nodes) {
    const text = settingsText(settings);
    idsBySettings.set(text, [...(idsBySettings.get(text) ?? []), id]);
  }
  return [...idsBySettings].map(([text, ids]) => `${[...new Set(ids)].join(', ')}: ${text}`);
}

function settingsText(settings: NodeEntry['settings']): string {
  const { fence, orphan, restart, stopGraceMs, fenceGraceMs, drainMs } = settings;
  const { heartbeatTimeoutMs, probeAttempts, probeTimeoutMs } = settings;
  return (
    `timeout ${formatDuration(heartbeatTimeoutMs)}, ${String(probeAttempts)} probes of ` +
    `${formatDuration(probeTimeoutMs)}, stop grace ${formatDuration(stopGraceMs)}, fence grace ` +
    `${formatDuration(fenceGraceMs)}, drain ${formatDuration(drainMs)}, fence ${fence}, ` +
    `orphan ${orphan}, restart ${restart}`
  );
}

function fact(label: string, text: string, paint: Paint): string {
  const shown = label.padEnd(LABEL_WIDTH);
  return `${label === 'NOT HELD' ? paint.bad(shown) : paint.faint(shown)}${printable(text)}`;
}
