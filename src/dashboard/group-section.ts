// One group in full: who leads, its nodes, its past, its takeovers, and what can be done with it.
import type { Question } from './dialog.ts';
import { element, sentence, setAll, setText } from './dom.ts';
import { lanesOf, takeoversOf } from './history.ts';
import type { Lane } from './history.ts';
import type { GroupModel } from './model.ts';
import { NodeTable } from './node-table.ts';
import { isElsewhere, nextOf } from './successors.ts';
import { medianMs, takeoverPlotOf } from './takeover-plot.ts';
import { timelineOf } from './timeline.ts';
import { kindOf, shownMs, timeOfDay } from './words.ts';
import type { GroupView, TransitionView } from './wire.ts';

/** How much of the past is shown: chosen by a person. */
const RANGES = [
  ...[['2 min', 120_000] as const, ['15 min', 900_000] as const],
  ...[['1 h', 3_600_000] as const, ['6 h', 21_600_000] as const, ['24 h', 86_400_000] as const],
];

/** Of the list of what happened. */
const MOST_EVENTS = 40;

export class GroupSection {
  readonly root: HTMLElement;
  readonly name: string;
  readonly #ask: (question: Question) => void;
  readonly #table: NodeTable;
  readonly #headline = element('p', { class: 'headline' });
  readonly #facts = element('dl', { class: 'facts' });
  readonly #warnings = element('ul', { class: 'warnings' });
  readonly #drawing = element('div', { class: 'drawing' });
  readonly #plot = element('div', { class: 'drawing' });
  readonly #median = element('p', { class: 'aside' });
  readonly #events = element('ol', { class: 'events', tabindex: 0, role: 'list' });
  readonly #demote = element('button', { type: 'button' }, 'Step down');
  readonly #pause = element('button', { type: 'button' }, 'Pause');
  #model: GroupModel | null = null;
  /** Null: as long as what is known, until a person chooses. */
  #chosenMs: number | null = null;
  readonly #rangeButtons = new Map<number, HTMLElement>();
  #shownEvents = '';
  #shownPlot = '';

  constructor(name: string, ask: (question: Question) => void) {
    this.name = name;
    this.#ask = ask;
    this.#table = new NodeTable(name, (node) => {
      this.#askPromotion(node);
    });
    this.#demote.addEventListener('click', () => {
      this.#askDemotion();
    });
    this.#pause.addEventListener('click', () => {
      this.#askPause();
    });
    const title = `group-${name}`;
    setAll(this.#events, { 'aria-label': `Events in ${name}, latest first` });
    this.root = element(
      'section',
      { class: 'group', 'aria-labelledby': title },
      element(
        'header',
        { class: 'group-head' },
        element('div', {}, element('h2', { id: title }, name), this.#headline),
        element('div', { class: 'actions' }, this.#demote, this.#pause),
      ),
      this.#warnings,
      this.#facts,
      element('div', { class: 'nodes-frame' }, this.#table.root),
      panel('Roles over time', this.#ranges(), legend(), this.#drawing),
      element(
        'div',
        { class: 'pair' },
        panel('Time without a workload', this.#median, dotLegend(), this.#plot),
        panel('What happened', null, this.#events),
      ),
    );
  }

  show(model: GroupModel, now: number): void {
    this.#model = model;
    const { status, problem } = model;
    if (problem !== null || status === null) {
      setText(this.#headline, problem?.error ?? 'Looking…');
      setAll(this.#headline, { 'data-state': problem === null ? 'unknown' : 'bad' });
      setLines(this.#warnings, problem?.hint ? [problem.hint] : []);
      return;
    }
    const { text, state } = headlineOf(status);
    setText(this.#headline, text);
    setAll(this.#headline, { 'data-state': state });
    setLines(this.#warnings, status.warnings);
    this.#showFacts(status);
    this.#table.show(status);
    setText(this.#pause, status.paused ? 'Resume' : 'Pause');
    // One of another machine is not reached from here.
    this.#demote.hidden = status.primary === null || isElsewhere(status, status.primary);
    this.draw(now);
    this.#showEvents(model.transitions);
  }

  /** The drawings, which go on with the time also when nothing happens. */
  draw(now: number): void {
    const { status, transitions } = this.#model ?? {};
    if (!status || transitions === undefined) return;
    const width = Math.max(260, Math.floor(this.#drawing.clientWidth));
    const lanes = lanesOf(status, transitions, now);
    const marks = takeoversOf(transitions);
    const rangeMs = this.#chosenMs ?? rangeOf(lanes, now);
    for (const [ms, button] of this.#rangeButtons) {
      setAll(button, { 'aria-pressed': String(ms === rangeMs) });
    }
    const from = now - rangeMs;
    const isShown = (node: string): boolean => status.nodes.some(({ id }) => id === node);
    const inSight = lanes.filter(
      ({ node, spans }) => isShown(node) || spans.some(({ to }) => to > from),
    );
    this.#drawing.replaceChildren(timelineOf({ lanes: inSight, marks, from, to: now, width }));
    const plotWidth = Math.max(240, Math.floor(this.#plot.clientWidth));
    const key = `${String(plotWidth)} ${marks.map(({ takeover }) => takeover.epoch).join(' ')}`;
    if (key === this.#shownPlot) return;
    this.#shownPlot = key;
    const plot = takeoverPlotOf(marks, plotWidth);
    this.#plot.replaceChildren(plot ?? element('p', { class: 'aside' }, 'No takeover yet.'));
    const median = medianMs(marks);
    setText(this.#median, median === null ? '' : `median ${shownMs(median)}`);
  }

  #ranges(): HTMLElement {
    for (const [label, ms] of RANGES) {
      const button = element('button', { type: 'button', class: 'small' }, label);
      button.addEventListener('click', () => {
        this.#chosenMs = ms;
        this.draw(Date.now());
      });
      this.#rangeButtons.set(ms, button);
    }
    const about = { class: 'ranges', role: 'group', 'aria-label': 'Time shown' };
    return element('div', about, ...this.#rangeButtons.values());
  }

  #showFacts(status: GroupView): void {
    const { epoch, lease, takeover } = status;
    const { predictedMs, hangMs, last } = takeover;
    const gapMs = last?.gapMs ?? null;
    const lastGap = gapMs === null ? '–' : shownMs(gapMs);
    const lastKind = last === null || last.kind === 'start' ? 'takeover' : last.kind;
    setFacts(this.#facts, [
      ['Epoch', String(epoch)],
      ['Next', nextOf(status) ?? 'nobody'],
      ['After a crash', predictedMs === null ? '–' : `about ${shownMs(predictedMs)}`],
      ['After a hang', hangMs === null ? '–' : `at most ${shownMs(hangMs)}`],
      [`Last ${lastKind}`, lastGap],
      ['Lease', lease.kind],
    ]);
  }

  #showEvents(transitions: readonly TransitionView[]): void {
    const latest = [...transitions].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
    const shown = latest.slice(0, MOST_EVENTS);
    const key = shown.map(({ time, node, to }) => `${time} ${node} ${to}`).join('\n');
    if (key === this.#shownEvents) return;
    this.#shownEvents = key;
    this.#events.replaceChildren(...shown.map(eventLine));
  }

  #askPromotion(node: string): void {
    const primary = this.#model?.status?.primary ?? null;
    const text =
      primary === null
        ? `${node} takes the lease if it is free and starts its workload with a new epoch.`
        : `${primary} stops its workload gracefully, then ${node} starts its own with a new epoch.`;
    this.#ask({
      ...{ title: `Promote ${node}?`, text, confirm: `Promote ${node}`, canForce: true },
      request: { group: this.name, change: 'promote', body: { node } },
    });
  }

  #askDemotion(): void {
    const status = this.#model?.status ?? null;
    const primary = status?.primary ?? null;
    if (status === null || primary === null) return;
    const next = nextOf(status);
    const follows = next === null ? 'No node would take over.' : `${next} takes over next.`;
    this.#ask({
      title: `Demote ${primary}?`,
      text: `It stops its workload gracefully and stands by until another node has led. ${follows}`,
      ...{ confirm: 'Step down', canForce: false },
      request: { group: this.name, change: 'demote', body: { node: primary } },
    });
  }

  #askPause(): void {
    const isPaused = this.#model?.status?.paused === true;
    const change = isPaused ? 'resume' : 'pause';
    this.#ask({
      title: isPaused ? `Resume ${this.name}?` : `Pause ${this.name}?`,
      text: isPaused
        ? 'If the primary is lost, a secondary takes over automatically again.'
        : 'If the primary is lost, no node takes over automatically until the group is resumed.',
      ...{ confirm: isPaused ? 'Resume' : 'Pause', canForce: false },
      request: { group: this.name, change, body: {} },
    });
  }
}

/** Who leads, in one sentence. */
export function headlineOf({ primary, nodes, paused }: GroupView): {
  readonly text: string;
  readonly state: 'good' | 'changing' | 'bad';
} {
  const pause = paused ? ', and the group is paused' : '';
  const candidate = nodes.find(({ role }) => role === 'candidate');
  const leader = nodes.find(({ id }) => id === primary);
  if (leader !== undefined) {
    const isSteady = leader.state === 'primary' || leader.state === 'elsewhere';
    const text = `${leader.id} is primary${isSteady ? '' : ` and ${leader.state}`}${pause}`;
    return { text, state: isSteady && !paused ? 'good' : 'changing' };
  }
  if (candidate !== undefined) return { text: `${candidate.id} is taking over`, state: 'changing' };
  return { text: `Nobody leads${pause}`, state: 'bad' };
}

/** The shortest in which all that is known can be seen. */
function rangeOf(lanes: readonly Lane[], now: number): number {
  const first = Math.min(now, ...lanes.flatMap(({ spans }) => spans.map(({ from }) => from)));
  return RANGES.find(([, ms]) => ms >= now - first)?.[1] ?? 86_400_000;
}

function panel(
  title: string,
  aside: HTMLElement | null,
  ...content: readonly HTMLElement[]
): HTMLElement {
  const head = element('div', { class: 'panel-head' }, element('h3', {}, title));
  if (aside !== null) head.append(aside);
  return element('div', { class: 'panel' }, head, ...content);
}

const LEGEND = [
  ['primary', 'primary'],
  ['candidate', 'taking over'],
  ['secondary', 'standing by'],
  ['doubt', 'in doubt'],
] as const;

function legend(): HTMLElement {
  const entries = LEGEND.map(([kind, text]) =>
    element(
      'li',
      {},
      element('span', { class: `swatch bar-${kind}`, 'aria-hidden': 'true' }),
      text,
    ),
  );
  const gap = element(
    'li',
    {},
    element('span', { class: 'swatch swatch-gap', 'aria-hidden': 'true' }),
    'failover',
  );
  return element('ul', { class: 'legend' }, ...entries, gap);
}

function dotLegend(): HTMLElement {
  const entries = ['failover', 'switchover'].map((kind) =>
    element('li', {}, element('span', { class: `dot dot-${kind}`, 'aria-hidden': 'true' }), kind),
  );
  return element('ul', { class: 'legend' }, ...entries);
}

function eventLine({ time, node, to, epoch, reason, takeover }: TransitionView): HTMLElement {
  const at = Date.parse(time);
  const gap = takeover?.gapMs ?? null;
  const what = element('p', { class: 'what' }, element('b', {}, node), ` ${to}`);
  if (epoch > 0) what.append(element('span', { class: 'aside' }, ` epoch ${String(epoch)}`));
  if (gap !== null && takeover?.kind !== 'start') {
    what.append(
      element(
        'span',
        { class: `pill pill-${takeover?.kind ?? ''}` },
        `${takeover?.kind ?? ''} ${shownMs(gap)}`,
      ),
    );
  }
  const line = element(
    'li',
    { class: `is-${kindOf(to)}` },
    element('time', { datetime: time }, timeOfDay(at)),
    what,
  );
  if (reason !== null) line.append(element('p', { class: 'reason' }, reason));
  return line;
}

function setLines(list: HTMLElement, lines: readonly string[]): void {
  const shown = [...list.children].map(({ textContent }) => textContent);
  list.hidden = lines.length === 0;
  if (shown.join('\n') === lines.join('\n').replaceAll('`', '')) return;
  list.replaceChildren(...lines.map((line) => element('li', {}, ...sentence(line))));
}

function setFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  for (const [index, [name, value]] of facts.entries()) {
    const known = list.children[index];
    if (known === undefined) {
      list.append(element('div', {}, element('dt', {}, name), element('dd', {}, value)));
    } else {
      setText(known.firstElementChild ?? known, name);
      setText(known.lastElementChild ?? known, value);
    }
  }
}
