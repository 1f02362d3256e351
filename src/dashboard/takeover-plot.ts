// How long nobody led, takeover by takeover: a dot each, on a scale of powers of ten.
import { drawing } from './dom.ts';
import type { TakeoverMark } from './history.ts';
import { shownMs, timeOfDay } from './words.ts';

const HEIGHT = 250;
const TOP = 14;
const BOTTOM = 26;
const LEFT = 52;

/** As many as can be told apart. */
const MOST = 40;

/** Null: there was none. */
export function takeoverPlotOf(
  marks: readonly TakeoverMark[],
  width: number,
): SVGSVGElement | null {
  const shown = measured(marks).slice(-MOST);
  if (shown.length === 0) return null;
  const gaps = shown.map(({ gapMs }) => gapMs);
  const lowest = Math.floor(Math.log10(Math.min(...gaps, 5)));
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(...gaps, 12))));
  const right = width - 12;
  const bottom = HEIGHT - BOTTOM;
  const y = (ms: number): number =>
    bottom -
    ((Math.log10(Math.max(ms, 10 ** lowest)) - lowest) / (highest - lowest)) * (bottom - TOP);
  const x = (index: number): number =>
    shown.length === 1
      ? (LEFT + right) / 2
      : LEFT + 14 + (index / (shown.length - 1)) * (right - LEFT - 28);
  const median = middleOf(gaps) ?? 0;
  const label = `Time without a workload of the last ${String(shown.length)} takeovers: ${gaps
    .slice(-10)
    .map(shownMs)
    .join(', ')}. Median ${shownMs(median)}.`;
  return drawing(
    'svg',
    {
      ...{ class: 'plot', viewBox: `0 0 ${String(width)} ${String(HEIGHT)}`, role: 'img' },
      ...{ width, height: HEIGHT, 'aria-label': label },
    },
    ...grid({ lowest, highest, right, y }),
    ...medianLine({ median, right, y, isWorth: shown.length > 2 }),
    ...shown.map(({ at, gapMs, kind, from, to }, index) => {
      const dot = drawing('circle', {
        ...{ class: `dot-${kind}`, cx: x(index), cy: y(gapMs) },
        r: index === shown.length - 1 ? 5 : 4,
      });
      const told = `${timeOfDay(at)}: ${kind} from ${String(from)} to ${to}, ${shownMs(gapMs)}`;
      dot.append(drawing('title', {}, told));
      return dot;
    }),
    ...ends(shown, x),
  );
}

/** The median of those that are shown, ms; null: there is none. */
export function medianMs(marks: readonly TakeoverMark[]): number | null {
  return middleOf(
    measured(marks)
      .slice(-MOST)
      .map(({ gapMs }) => gapMs),
  );
}

/** Null: of nothing. */
function middleOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

interface Dot {
  readonly at: number;
  readonly gapMs: number;
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
}

function measured(marks: readonly TakeoverMark[]): readonly Dot[] {
  return marks.flatMap(({ at, takeover: { gapMs, kind, from, to } }) =>
    gapMs === null || kind === 'start' ? [] : [{ at, gapMs, kind, from, to }],
  );
}

interface Axis {
  readonly right: number;
  readonly y: (ms: number) => number;
}

function grid({
  lowest,
  highest,
  right,
  y,
}: Axis & { readonly lowest: number; readonly highest: number }): readonly SVGElement[] {
  return Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index)).flatMap(
    (ms) => [
      drawing('line', { class: 'tick', x1: LEFT, x2: right, y1: y(ms), y2: y(ms) }),
      drawing(
        'text',
        { class: 'tick-label', x: LEFT - 8, y: y(ms) + 4, 'text-anchor': 'end' },
        ms < 1000 ? `${String(ms)} ms` : `${String(ms / 1000)} s`,
      ),
    ],
  );
}

function medianLine({
  median,
  right,
  y,
  isWorth,
}: Axis & { readonly median: number; readonly isWorth: boolean }): readonly SVGElement[] {
  if (!isWorth) return [];
  return [drawing('line', { class: 'median', x1: LEFT, x2: right, y1: y(median), y2: y(median) })];
}

function ends(shown: readonly Dot[], x: (index: number) => number): readonly SVGElement[] {
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return [];
  const at = (dot: Dot, index: number, anchor: string): SVGElement =>
    drawing(
      'text',
      { class: 'tick-label', x: x(index), y: HEIGHT - 7, 'text-anchor': anchor },
      timeOfDay(dot.at),
    );
  if (shown.length === 1) return [at(last, 0, 'middle')];
  return [at(first, 0, 'start'), at(last, shown.length - 1, 'end')];
}
