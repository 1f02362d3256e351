// `failover explain` for people: the answer first, then what each node says of itself.
import type { Account } from '../account.ts';
import type { GroupExplanation } from '../commands/explain.ts';
import { humanMs } from '../../core/duration-text.ts';
import type { Pending } from '../../core/pending.ts';
import { timeOfDays } from './clock-time.ts';
import type { Paint } from './paint.ts';
import { printable } from './plain.ts';

/** The most transitions that are shown; `--json` has all. */
const SHOWN_TRANSITIONS = 6;

/** The lines of an explanation; `now` says which times are of today. */
export function explainLines(explained: GroupExplanation, paint: Paint, now: Date): string[] {
  const { answer, lease, nodes } = explained;
  const holder = lease.holder ?? 'a process that is not a live node';
  const free = lease.problem === null ? 'free' : 'not known';
  const held = lease.held ? `held by ${holder}` : free;
  return [
    printable(answer),
    fact(paint, 'lease', `${held}; the highest epoch is ${lease.epoch}`),
    ...nodes.flatMap((account) => ['', ...accountLines(account, paint, now)]),
  ];
}

const LABEL_WIDTH = 13;

function accountLines(account: Account, paint: Paint, now: Date): string[] {
  const at = (time: string): string => timeOfDays(new Date(time), now);
  const { reason, warning, evidence, waitsFor, transitions, journal } = account;
  const facts = (label: string, texts: readonly string[]): string[] =>
    texts.map((text, index) => fact(paint, index === 0 ? label : '', printable(text)));
  return [
    heading(account, paint, at),
    ...facts('because', reason === null ? [] : [reason]),
    ...facts('last chance', chanceTexts(account, at)),
    ...facts(
      account.source === 'node' ? 'goes by' : 'went by',
      evidence.map(({ text }) => text),
    ),
    ...facts('waits', waitsFor.map(pendingText)),
    ...facts(
      'lately',
      transitions
        .slice(-SHOWN_TRANSITIONS)
        .map(({ time, to, reason: why }) => `${at(time)}  ${to}: ${why}`),
    ),
    ...facts('warning', warning === null ? [] : [warning]),
    ...facts('journal', journal === null ? [] : [journal]),
  ];
}

/** Of a node that has left nothing but its record nobody can say that there was none. */
function chanceTexts({ lastChance, source }: Account, at: (time: string) => string): string[] {
  if (lastChance !== null) {
    return [`${at(lastChance.time)}, ${lastChance.text}`, `it began so: ${lastChance.cause}`];
  }
  return source === 'record' ? [] : ['none: it never had a reason to take over'];
}

/** `b  secondary, waiting since 14:03:07.250`, and whose words they are if not its own. */
function heading(account: Account, paint: Paint, at: (time: string) => string): string {
  const { id, role, phase, since, source, silence, asOf } = account;
  const name = paint.strong(printable(id));
  const what = role === null || role === phase ? (phase ?? 'unknown') : `${role}, ${phase ?? ''}`;
  const when = printable(`${what}${since === null ? '' : ` since ${at(since)}`}`);
  if (source === 'node') return `${name}  ${when}`;
  const why = paint.bad(printable(silence ?? 'it does not answer'));
  if (source === 'record') return `${name}  ${why}; it has left no journal`;
  return `${name}  ${why}; its journal${asOf === null ? '' : `, as of ${at(asOf)}`}: ${when}`;
}

function pendingText({ text, inMs, isLimit }: Pending): string {
  if (inMs === null) return isLimit ? `until ${text}` : text;
  return `${isLimit ? 'at most' : 'in'} ${humanMs(inMs)}${isLimit ? ', until ' : ': '}${text}`;
}

function fact(paint: Paint, label: string, text: string): string {
  return `  ${paint.faint(label.padEnd(LABEL_WIDTH))}${text}`;
}
