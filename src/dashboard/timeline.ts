// The past of a group as a drawing: a lane for each node, and a mark for each takeover.
import { drawing } from './dom.ts';
import type { Lane, TakeoverMark } from './history.ts';
import { shownMs, timeOfDay } from './words.ts';

export interface TimelineParts {
  readonly lanes: readonly Lane[];
  readonly marks: readonly TakeoverMark[];
  /** ms since 1970. */
  readonly from: number;
  readonly to: number;
  /** Of the drawing, px. */
  readonly width: number;
}

const LANE = 26;
const BAR = 14;
const TOP = 44;
const LABEL_ROWS = 2;
const LABEL_ROW = 14;
const BOTTOM = 24;
const CHARACTER = 7.2;

export function timelineOf({ lanes, marks, from, to, width }: TimelineParts): SVGSVGElement {
  const longest = Math.max(4, ...lanes.map(({ node }) => node.length));
  const left = Math.min(Math.ceil(longest * CHARACTER) + 14, Math.round(width * 0.3));
  const height = TOP + lanes.length * LANE + BOTTOM;
  const right = width - 10;
  const place = (time: number): number =>
    left + ((Math.min(Math.max(time, from), to) - from) / (to - from)) * (right - left);
  const scale = { place, left, right, height };
  const shown = marks.filter(({ at }) => at >= from && at <= to);
  return drawing(
    'svg',
    {
      ...{ class: 'timeline', viewBox: `0 0 ${String(width)} ${String(height)}`, role: 'img' },
      ...{ width, height, 'aria-label': labelOf(lanes, shown) },
    },
    ...ticks(from, to, scale),
    ...lanes.map((lane, index) => laneOf(lane, TOP + index * LANE, scale)),
    ...markGroups(shown, lanes, scale),
  );
}

interface Scale {
  readonly place: (time: number) => number;
  readonly left: number;
  readonly right: number;
  readonly height: number;
}

/** What is drawn, for those who cannot see it; the list of events has all of it. */
function labelOf(lanes: readonly Lane[], marks: readonly TakeoverMark[]): string {
  const nodes = lanes.map(({ node, spans }) => {
    const last = spans.at(-1);
    return `${node} ${last === undefined ? 'ended' : last.phase}`;
  });
  const takeovers = marks.map(
    ({ at, takeover: { kind, to, gapMs } }) =>
      `${kind} to ${to} at ${timeOfDay(at)}${gapMs === null ? '' : ` in ${shownMs(gapMs)}`}`,
  );
  const told = takeovers.length === 0 ? 'no takeover' : takeovers.slice(-5).join(', ');
  return `Roles over time: ${nodes.join(', ')}; ${told}.`;
}

function laneOf({ node, spans }: Lane, y: number, { place, left, right }: Scale): SVGGElement {
  const middle = y + LANE / 2;
  const label = drawing('text', { class: 'lane-name', x: 0, y: middle + 4 }, shortened(node, left));
  label.append(drawing('title', {}, node));
  const line = drawing('line', { class: 'lane', x1: left, x2: right, y1: middle, y2: middle });
  const bars = spans.flatMap(({ kind, phase, from, to }) => {
    const [x, end] = [place(from), place(to)];
    if (end - x < 0.3) return [];
    const bar = drawing('rect', {
      ...{ class: `bar-${kind}`, x, y: middle - BAR / 2, height: BAR, rx: 2.5 },
      width: Math.max(1.5, end - x - 0.75),
    });
    bar.append(drawing('title', {}, `${node}: ${phase}, from ${timeOfDay(from)}`));
    return [bar];
  });
  return drawing('g', {}, label, line, ...bars);
}

function shortened(name: string, room: number): string {
  const most = Math.max(3, Math.floor((room - 12) / CHARACTER));
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}

/** Where there is no room for all labels those of failovers come first, and the later ones. */
function markGroups(
  marks: readonly TakeoverMark[],
  lanes: readonly Lane[],
  scale: Scale,
): readonly SVGGElement[] {
  const bottom = TOP + lanes.length * LANE;
  const taken: (readonly [from: number, to: number])[][] = Array.from(
    { length: LABEL_ROWS },
    () => [],
  );
  return marks
    .filter(({ takeover }) => takeover.kind !== 'start')
    .toSorted((a, b) => Number(isFailover(b)) - Number(isFailover(a)) || b.at - a.at)
    .map((mark) => {
      const drawn = markOf(mark, bottom, scale);
      const label = labelAt(mark, taken, scale);
      if (label !== null) drawn.append(label);
      return drawn;
    });
}

function isFailover({ takeover }: TakeoverMark): boolean {
  return takeover.kind === 'failover';
}

function markOf({ at, takeover }: TakeoverMark, bottom: number, { place }: Scale): SVGGElement {
  const { kind, from, to, gapMs, reason } = takeover;
  const [began, x] = [place(at - (gapMs ?? 0)), place(at)];
  const told = `${timeOfDay(at)}: ${kind} from ${String(from)} to ${to}, ${gapText(takeover)}. ${reason}`;
  const gap = { class: 'gap', x: Math.min(began, x - 1.5), y: TOP, height: bottom - TOP };
  return drawing(
    'g',
    { class: `mark-${kind}` },
    drawing('title', {}, told),
    drawing('rect', { ...gap, width: Math.max(1.5, x - began) }),
    drawing('path', {
      class: 'flag',
      d: `M ${String(x - 4)} ${String(TOP - 6)} h 7 l -3.5 6 z`,
    }),
  );
}

/** Null: there is no room. */
function labelAt(
  { at, takeover }: TakeoverMark,
  taken: (readonly [from: number, to: number])[][],
  { place, left, right }: Scale,
): SVGTextElement | null {
  const text = gapText(takeover);
  const half = (text.length * CHARACTER) / 2 + 3;
  const middle = Math.min(Math.max(place(at), left + half), right - half);
  const row = taken.findIndex((labels) =>
    labels.every(([from, to]) => middle + half < from || middle - half > to),
  );
  if (row < 0) return null;
  taken[row]?.push([middle - half, middle + half]);
  const y = TOP - 11 - row * LABEL_ROW;
  return drawing('text', { class: 'gap-label', x: middle, y, 'text-anchor': 'middle' }, text);
}

function gapText({ kind, gapMs }: TakeoverMark['takeover']): string {
  return gapMs === null ? kind : shownMs(gapMs);
}

const STEPS_MS = [
  ...[10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000],
  ...[3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000],
];

function ticks(
  from: number,
  to: number,
  { place, left, right, height }: Scale,
): readonly SVGElement[] {
  const most = Math.max(2, Math.floor((right - left) / 78));
  const step = STEPS_MS.find((each) => (to - from) / each <= most) ?? 86_400_000;
  const offset = new Date(from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const found: SVGElement[] = [];
  for (let time = first; time <= to; time += step) {
    const x = place(time);
    const y = height - BOTTOM;
    found.push(
      drawing('line', { class: 'tick', x1: x, x2: x, y1: TOP, y2: y }),
      drawing(
        'text',
        { class: 'tick-label', x, y: height - 7, 'text-anchor': x > right - 24 ? 'end' : 'middle' },
        timeOfDay(time, step < 60_000),
      ),
    );
  }
  return found;
}
