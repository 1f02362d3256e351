// `failover simulate --replay` of a node's journal, as it is printed: what was decided, and what would be now.
import { JournalError, readJournal } from '../journal/read-journal.ts';
import type { Journal } from '../journal/read-journal.ts';
import { replayJournal } from '../journal/replay.ts';
import type { Divergence, ReplayResult, Told } from '../journal/replay.ts';
import { count } from '../simulation/report.ts';
import { packageVersion } from '../version.ts';
import { printable } from './render/plain.ts';

export interface NodeReplay {
  readonly lines: readonly string[];
  /** Of `--json`. */
  readonly report: object;
  readonly isSame: boolean;
}

/** Decides a journal again; throws what `refuse` makes of a text with nothing to decide. */
export function replayOfNode(text: string, refuse: (fact: string) => Error): NodeReplay {
  const journal = journalIn(text, refuse);
  const result = replayJournal(journal);
  if (result.events === 0) throw refuse('it has no state that this version can continue from');
  const { group, node, run, version } = journal.run;
  const { divergences, events, transitions, gaps, passedOver } = result;
  const { skipped, dropped } = journal;
  const isSame = divergences.length === 0;
  const about = { group, node, run, version, thisVersion: packageVersion() };
  const counts = { events, transitions, gaps, passedOver, skipped, dropped };
  const report = { v: 1, ...about, ...counts, same: isSame, divergences };
  return { lines: linesOf(journal, result), report, isSame };
}

function journalIn(text: string, refuse: (fact: string) => Error): Journal {
  try {
    return readJournal(text);
  } catch (error) {
    if (error instanceof JournalError) throw refuse(error.message);
    throw error;
  }
}

function linesOf(journal: Journal, result: ReplayResult): string[] {
  const { group, node, run, version } = journal.run;
  const { events, transitions, divergences } = result;
  return [
    `${printable(`Node ${node} of group ${group}, run ${run}, version ${version}`)}: ` +
      `${count(events, 'event')} replayed, including ${count(transitions, 'transition')}.`,
    ...missing(journal, result).map((what) => `Not exact: ${what}.`),
    ...divergences.flatMap(divergenceLines),
    divergences.length === 0
      ? `This version, ${packageVersion()}, decides the same.`
      : `This version, ${packageVersion()}, decides differently ` +
        `${divergences.length === 1 ? 'once' : `${divergences.length} times`}.`,
  ];
}

/** What was not decided again, and why. */
function missing({ skipped, dropped }: Journal, { gaps, passedOver }: ReplayResult): string[] {
  const { corrupt, unknown } = skipped;
  return [
    ...(gaps > 0 ? [`${count(gaps, 'gap')} up to the next recorded state`] : []),
    ...(passedOver > 0 ? [`${count(passedOver, 'event')} skipped up to there`] : []),
    ...(corrupt > 0 ? [`${count(corrupt, 'line')} that cannot be read`] : []),
    ...(unknown > 0 ? [`${count(unknown, 'line')} of a later version`] : []),
    ...(dropped > 0 ? [`${count(dropped, 'line')} that the node could not write`] : []),
  ];
}

function divergenceLines(divergence: Divergence): string[] {
  const { line, n, transition, event, time, recorded, now, stateFields } = divergence;
  const when = time ?? `${(event.at / 1000).toFixed(3)} s after boot`;
  const which = printable(`${event.type}, ${when}`);
  const where = `At transition ${transition} (line ${line}, event ${n}: ${which})`;
  if (stateFields.length > 0) {
    return [`${where} it decides the same, but its state then differs: ${stateFields.join(', ')}`];
  }
  return [
    `${where} it decides differently:`,
    `  recorded      ${toldText(recorded)}`,
    `  this version  ${toldText(now)}`,
  ];
}

function toldText({ to, reason, effects, refusal }: Told): string {
  if (refusal !== null) return `refuses to continue: ${printable(refusal)}`;
  const decision = to === null ? 'stays unchanged' : `${to}: ${reason}`;
  return printable(effects.length === 0 ? decision : `${decision} (${effects.join(', ')})`);
}
