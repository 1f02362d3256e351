// `failover events` for people: a block for each claim of the lease, in it a line for each event.
import { humanMs } from '../../core/duration-text.ts';
import type { Takeover } from '../../core/state.ts';
import type { Block, Claim } from '../timeline/blocks.ts';
import type { GroupEvent } from '../timeline/event.ts';
import { timeOfDays } from './clock-time.ts';
import type { Paint } from './paint.ts';
import { printable } from './plain.ts';
import { table } from './table.ts';

/** The lines of a timeline; `now` says which times are of today. */
export function blockLines(blocks: readonly Block[], paint: Paint, now: Date): string[] {
  const rows = table(
    blocks.flatMap(({ events }) => events.map((event) => cellsOf(event, paint, now))),
  );
  let next = 0;
  return blocks.flatMap(({ claim, events }, place) => {
    const own = rows.slice(next, next + events.length).map((row) => `  ${row}`);
    next += events.length;
    const title = claim === null ? paint.faint(EARLIER) : claimLine(claim, paint);
    return [...(place === 0 ? [] : ['']), title, ...own];
  });
}

/** An event as it comes: what the phase before it was, and of a promotion what it took. */
export function followLines(event: GroupEvent, paint: Paint, now: Date): string[] {
  const { from, fromMs, takeover } = event;
  const [time = '', node = '', action = '', epoch = '', , reason = ''] = cellsOf(event, paint, now);
  const past =
    from === null || fromMs === null
      ? ''
      : paint.faint(` (${printable(from)} for ${humanMs(fromMs)})`);
  const gap = ' '.repeat(Math.max(0, ACTION_WIDTH - event.action.length));
  const line = `${time}  ${node}  ${action}${gap}  ${epoch}  ${reason}${past}`;
  return takeover === null ? [line] : [line, `${time}  ${node}  ${takeoverLine(takeover, paint)}`];
}

/** Of the longest phase: the lines that come later are not known yet. */
const ACTION_WIDTH = 'suspecting'.length;

const EARLIER = 'before the first claim that is known';

function cellsOf(event: GroupEvent, paint: Paint, now: Date): readonly string[] {
  const { time, node, source, action, epoch, reason, durationMs } = event;
  return [
    paint.faint(timeOfDays(new Date(time), now)),
    printable(node),
    action === 'serving' ? paint.good(action) : printable(action),
    String(epoch),
    durationMs === null ? '' : humanMs(durationMs),
    printable(reason ?? (source === 'server' ? 'at the server' : '')),
  ];
}

/** `epoch 2  failover a → b, 8.1 ms without a workload; it led 12 ms after the loss was noticed`. */
function claimLine(claim: Claim, paint: Paint): string {
  const { epoch, by, source, from, ledAt, gapMs } = claim;
  const title = paint.strong(`epoch ${String(epoch)}`);
  const who = from === null ? by : `${from} → ${by}`;
  if (ledAt === null) {
    const outcome = source === 'server' ? UNTOLD : 'and did not lead';
    return `${title}  ${printable(`${by} claimed the lease ${outcome}`)}`;
  }
  const what = claim.kind ?? (from === null ? 'start' : 'change');
  const gap = gapMs === null || what === 'start' ? '' : `, ${humanMs(gapMs)} without a workload`;
  return `${title}  ${printable(`${what} ${who}`)}${gap}${stepsOf(claim)}`;
}

/** It may lead: on another machine, or without a record of it on this one. */
const UNTOLD = '(what came of it is not known here)';

/** When the command was started and when it led, counted from what made the node claim. */
function stepsOf({ noticedAt, grantedAt, startedAt, ledAt }: Claim): string {
  const after = (time: string): string =>
    humanMs(Math.max(0, Date.parse(time) - Date.parse(noticedAt)));
  const steps = [
    `lease after ${after(grantedAt)}`,
    ...(startedAt === null ? [] : [`start after ${after(startedAt)}`]),
    ...(ledAt === null ? [] : [`led after ${after(ledAt)}`]),
  ];
  return ` (${steps.join(', ')})`;
}

function takeoverLine({ kind, from, to, epoch, gapMs }: Takeover, paint: Paint): string {
  const who = from === null ? to : `${from} → ${to}`;
  const gap = gapMs === null || kind === 'start' ? '' : `, ${humanMs(gapMs)} without a workload`;
  return `${paint.strong(`epoch ${String(epoch)}`)}  ${printable(`${kind} ${who}`)}${gap}`;
}
