// What the transitions of a group make of its past: who was what from when to when, and each takeover. Pure.
import type { GroupView, TakeoverView, TransitionView } from './wire.ts';
import { changesNode, kindOf } from './words.ts';
import type { Kind } from './words.ts';

/** A time in which one node was the same. Times are ms since 1970. */
interface Span {
  readonly kind: Exclude<Kind, 'ended'>;
  readonly phase: string;
  readonly from: number;
  readonly to: number;
}

/** The past of one node. */
export interface Lane {
  readonly node: string;
  readonly spans: readonly Span[];
}

export interface TakeoverMark {
  /** When it was complete. */
  readonly at: number;
  readonly takeover: TakeoverView;
}

/** The lanes by name; until now for those that live. */
export function lanesOf(
  { nodes }: Pick<GroupView, 'nodes'>,
  transitions: readonly TransitionView[],
  now: number,
): readonly Lane[] {
  const lanes = new Map<string, Span[]>();
  for (const [node, own] of byNode(transitions)) {
    const lives = nodes.some(({ id }) => id === node);
    lanes.set(node, spansOf(own, lives ? now : null));
  }
  for (const { id, state, since } of nodes) {
    if (lanes.has(id)) continue;
    const from = since === null ? now : Date.parse(since);
    lanes.set(id, spansOf([{ time: from, to: state }], now));
  }
  const marks = takeoversOf(transitions);
  cutLost(lanes, marks);
  addLost(lanes, marks);
  return [...lanes]
    .map(([node, spans]) => ({ node, spans }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** Each once, however many tell of it; the oldest first. */
export function takeoversOf(transitions: readonly TransitionView[]): readonly TakeoverMark[] {
  const marks = new Map<number, TakeoverMark>();
  for (const { takeover, time } of transitions) {
    if (takeover === null || marks.has(takeover.epoch)) continue;
    marks.set(takeover.epoch, { at: Date.parse(time), takeover });
  }
  return [...marks.values()].sort((a, b) => a.at - b.at);
}

function byNode(
  transitions: readonly TransitionView[],
): ReadonlyMap<string, readonly { readonly time: number; readonly to: string }[]> {
  const all = new Map<string, { time: number; to: string }[]>();
  for (const { node, time, to } of transitions) {
    if (!changesNode(to)) continue;
    const own = all.get(node) ?? [];
    own.push({ time: Date.parse(time), to });
    all.set(node, own);
  }
  for (const own of all.values()) own.sort((a, b) => a.time - b.time);
  return all;
}

/** `end`: how long the last one goes on; null: the node is no more, and its last word is all there is. */
function spansOf(
  own: readonly { readonly time: number; readonly to: string }[],
  end: number | null,
): Span[] {
  return own.flatMap(({ time: from, to: phase }, index) => {
    const to = own[index + 1]?.time ?? end ?? from;
    const kind = kindOf(phase);
    return kind === 'ended' ? [] : [{ kind, phase, from, to: Math.max(from, to) }];
  });
}

/** One that was killed is seen to be no more a moment later: it ended when those that took over noticed. */
function cutLost(lanes: Map<string, Span[]>, marks: readonly TakeoverMark[]): void {
  for (const { at, takeover } of marks) {
    const { kind, from: node, gapMs } = takeover;
    if (kind !== 'failover' || node === null || gapMs === null) continue;
    const lost = at - gapMs;
    const cut = lanes.get(node)?.map((span) => {
      const isCut = span.kind === 'primary' && span.from < lost && span.to > lost;
      return isCut ? { ...span, to: lost } : span;
    });
    if (cut !== undefined) lanes.set(node, cut);
  }
}

/** A primary that was lost before anybody followed can tell nothing: those that took over name it. */
function addLost(lanes: Map<string, Span[]>, marks: readonly TakeoverMark[]): void {
  for (const [index, { at, takeover }] of marks.entries()) {
    const { from: node, gapMs } = takeover;
    if (node === null || lanes.has(node)) continue;
    const began = marks.slice(0, index).findLast(({ takeover: { to } }) => to === node)?.at;
    const to = at - (gapMs ?? 0);
    lanes.set(node, [{ kind: 'primary', phase: 'serving', from: began ?? to, to }]);
  }
}
