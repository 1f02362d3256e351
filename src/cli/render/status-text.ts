// `failover status` for people: one heading, one row for each node, then what matters about takeovers.
import type { Takeover } from '../../core/state.ts';
import type { GroupStatus, NodeEntry } from '../group-status.ts';
import type { Paint } from './paint.ts';
import { humanMs } from '../../core/duration-text.ts';
import { printable } from './plain.ts';
import { nodeTable } from './node-table.ts';
import { wrapWords } from './table.ts';

/** A status in its parts, which a view may have too little room for. */
export interface StatusParts {
  readonly heading: string;
  /** The titles of the table and a line for each node, in their order; nothing where there is none. */
  readonly table: readonly string[];
  /** What matters about the lease and takeovers. */
  readonly facts: readonly string[];
  readonly warnings: readonly string[];
}

/** How many columns there are for a part; what is longer goes on below, or is left to the terminal. */
export interface Widths {
  readonly table: number;
  readonly notes: number;
}

/**
 * The lines of a status; its table is at most so wide. What it advises stays on one line, whatever that takes: it is
 * there to be copied.
 */
export function statusLines(
  seen: GroupStatus,
  paint: Paint,
  width: number = Number.POSITIVE_INFINITY,
): string[] {
  const parts = statusParts(seen, paint, { table: width, notes: Infinity });
  const nodes = parts.table.length === 0 ? [] : [...parts.table, ''];
  return [parts.heading, '', ...nodes, ...parts.facts, ...parts.warnings];
}

/** The same in parts. */
export function statusParts(seen: GroupStatus, paint: Paint, widths: Widths): StatusParts {
  const status = printableParts(seen);
  const noteLines = (label: string, text: string, tone: Paint['faint']): string[] =>
    labelled(label, text, widths.notes).map(([shown, line]) => `${tone(shown)}${line}`);
  return {
    heading: heading(status, paint),
    table: nodeTable(status, paint, widths.table),
    facts: facts(status).flatMap(([label, text]) => noteLines(label, text, paint.faint)),
    warnings: status.warnings.flatMap((warning) => noteLines('warning', warning, paint.warn)),
  };
}

/** One line, for a log: who leads, and who stands by. */
export function statusLine(seen: GroupStatus): string {
  const status = printableParts(seen);
  const others = status.nodes.filter(({ id }) => id !== status.primary);
  const shown = others.map(({ id, state }) => `${id} ${state}`).join(', ');
  const primary = status.nodes.find(({ id }) => id === status.primary);
  const isSteady = primary === undefined || STEADY.has(primary.state);
  const how = isSteady ? '' : ` ${primary.state}`;
  const ill = (primary?.unhealthyBecause ?? null) === null ? '' : ', unhealthy';
  const leader = status.primary === null ? 'no primary' : `primary ${status.primary}${how}${ill}`;
  const paused = status.paused ? ', paused' : '';
  return `${status.group}: ${leader}, epoch ${status.epoch}${paused}${shown === '' ? '' : `; ${shown}`}`;
}

/** Of who leads: what else it is, or does, is told. */
const STEADY: ReadonlySet<string> = new Set(['primary', 'elsewhere']);

/**
 * Each text made safe to print, whoever wrote it: records and answers are of other processes, and any of
 * their parts could steer the terminal.
 */
function printableParts(status: GroupStatus): GroupStatus {
  // The same shape: only texts are replaced, by texts.
  return JSON.parse(JSON.stringify(status), (_, value: unknown) =>
    typeof value === 'string' ? printable(value) : value,
  ) as GroupStatus;
}

const LABEL_WIDTH = 10;

function heading(status: GroupStatus, paint: Paint): string {
  const name = paint.strong(status.group);
  const paused = status.paused ? paint.warn('  paused') : '';
  if (status.primary !== null) {
    return `${name}  ${paint.good(`primary ${status.primary}`)}  epoch ${status.epoch}${paused}`;
  }
  if (status.nodes.length === 0) return `${name}  ${paint.bad('no node is running')}${paused}`;
  return `${name}  ${paint.bad('no primary')}  epoch ${status.epoch}${paused}`;
}

/** What is too long goes on below, under its own beginning; the label stands once. */
function labelled(label: string, text: string, width: number): (readonly [string, string])[] {
  const lines = width === Infinity ? [text] : wrapWords(text, width - LABEL_WIDTH);
  return lines.map((line, place) => [(place === 0 ? label : '').padEnd(LABEL_WIDTH), line]);
}

type Fact = readonly [label: string, text: string];

function facts(status: GroupStatus): Fact[] {
  const { lease, takeover, succession, directory, nodes, epoch } = status;
  // Nothing of it ever ran here: there is no lease and no directory.
  if (nodes.length === 0 && epoch === 0) return [];
  const lines: Fact[] = [
    [
      'lease',
      `${lease.server ?? leaseWord(lease.kind)}, ${holdingText(lease)}; ` +
        `guards: ${lease.guards.map(leaseWord).join(', ')}` +
        // What no other lease lacks is said wherever people look.
        (lease.kind === 'peers' ? '; no protection against a partition' : ''),
    ],
  ];
  if (nodes.length > 0) lines.push(['takeover', prediction(status)]);
  if (takeover.last !== null && takeover.last.kind !== 'start') {
    lines.push(['last', takeoverText(takeover.last)]);
  }
  if (nodes.length > 0) {
    lines.push(['next', succession.length === 0 ? nobodyNext(status) : succession.join(', then ')]);
  }
  const order = orderText(nodes);
  if (order !== null) lines.push(['order', order]);
  const unheard = unheardText(status);
  if (unheard !== null) lines.push(['unheard', unheard]);
  lines.push(['directory', directory]);
  for (const { id, transport } of nodes) {
    const refused = refusalsOf(transport);
    if (refused !== '') lines.push(['refused', `${id}: ${refused}`]);
  }
  return lines;
}

/** As the manual calls it; what programs read stays. */
function leaseWord(name: string): string {
  return name === 'timed-file' ? 'shared files' : name;
}

/** A lease whose server can't be asked may be another's by now. */
function holdingText({ kind, held, holder, problem }: GroupStatus['lease']): string {
  const isUnseen = problem !== null && !isOfFiles(kind);
  if (!held) return isUnseen ? 'not known' : 'free';
  const by = `held by ${holder ?? 'a process that is not a node of the group'}`;
  return isUnseen ? `${by} when last seen` : by;
}

function isOfFiles(kind: GroupStatus['lease']['kind']): boolean {
  return kind === 'file' || kind === 'static';
}

/** Who knows of the primary by its lease alone, which is no fault, and how it would be heard; null: nobody. */
function unheardText({ nodes, primary }: GroupStatus): string | null {
  const unheard = nodes.filter(({ hearsPrimary }) => hearsPrimary === false).map(({ id }) => id);
  if (unheard.length === 0) return null;
  return `${primary ?? 'the primary'} cannot be heard by ${unheard.join(', ')}, only its lease is visible: its sockets are not on this machine; set --bind tcp://… on each node`;
}

/** Who goes before whom, where somebody waits for that; null: they race. */
function orderText(nodes: readonly NodeEntry[]): string | null {
  if (!nodes.some(({ strategy }) => strategy === 'priority')) return null;
  const sorted = [...nodes].sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  const places = sorted.map(({ id, priority, strategy }) => {
    const races = strategy === 'race' ? ' (races)' : '';
    return `${id} ${priority === 0 ? 'never leads' : String(priority)}${races}`;
  });
  let next: { readonly id: string; readonly inMs: number } | null = null;
  for (const { id, preemptsInMs: inMs } of nodes) {
    if (inMs !== null && (next === null || inMs < next.inMs)) next = { id, inMs };
  }
  const preempts = next === null ? '' : `; ${next.id} preempts in ${humanMs(next.inMs)}`;
  return `by priority: ${places.join(', ')}${preempts}`;
}

/** What a node refused and why, most first: `7 messages (malformed 5, replayed 2), 1 request (invalid)`. */
function refusalsOf(transport: NodeEntry['transport']): string {
  if (transport === null) return '';
  const { rejected, requestsRejected, answersRejected, distrusted, dropped } = transport;
  return [
    countsText('message', rejected),
    countsText('request', requestsRejected),
    countsText('answer', answersRejected),
    distrustedText(distrusted),
    dropped === 0 ? '' : `${String(dropped)} not sent`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function countsText(what: string, counts: Readonly<Record<string, number>>): string {
  const causes = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const total = causes.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return '';
  const why = causes.map(([cause, count]) => {
    const words = CAUSE_WORDS.get(cause) ?? cause;
    return causes.length === 1 ? words : `${words} ${String(count)}`;
  });
  return `${String(total)} ${what}${total === 1 ? '' : 's'} (${why.join(', ')})`;
}

/** Of connections and of what was signed: `2 not trusted (unsigned)`. */
function distrustedText(counts: Readonly<Record<string, number>>): string {
  return countsText('stranger', counts).replace(/ strangers? /, ' not trusted ');
}

/** What a node that was stopped for a while gets of those that it had asked is no stranger's. */
const CAUSE_WORDS: ReadonlyMap<string, string> = new Map([
  ['unasked', 'late or unasked'],
  ['bad-signature', 'signed with another secret'],
  ['unexpected-signature', 'signed, but no secret is set here'],
  ['unauthorized-key', 'a key that is not authorized'],
  ['broken-handshake', 'no handshake'],
]);

/** What the next in succession expects of itself; nothing where there is no next, or nothing to take. */
function prediction(status: GroupStatus): string {
  const { primary, succession, takeover } = status;
  const [next] = succession;
  if (primary === null) return 'nothing to predict: there is no primary';
  if (next === undefined) {
    return standingElsewhere(status).length > 0
      ? 'not predicted: the standbys are on other machines'
      : 'none: no secondary would take over';
  }
  const { predictedMs, unpredictedBecause, hangMs } = takeover;
  const unknown = unpredictedBecause === null ? 'unknown' : `unknown (${unpredictedBecause})`;
  const crash = predictedMs === null ? unknown : `about ${humanMs(predictedMs)}`;
  const endless = isOfFiles(status.lease.kind)
    ? 'never (--fence none)'
    : 'when its lease has ended';
  const hang = hangMs === null ? endless : `at most ${humanMs(hangMs)}`;
  return `predicted by ${next}: after a crash ${crash}, a hang ${hang}`;
}

function standingElsewhere({ nodes }: GroupStatus): readonly string[] {
  return nodes
    .filter(({ role, state }) => role === 'secondary' && state === 'elsewhere')
    .map(({ id }) => id);
}

function nobodyNext(status: GroupStatus): string {
  const { primary, nodes } = status;
  const away = standingElsewhere(status);
  if (away.length > 0) return `${away.join(' or ')}, elsewhere`;
  const claiming = nodes.filter(({ role }) => role === 'candidate').map(({ id }) => id);
  if (primary !== null || claiming.length === 0) return 'nobody';
  return `${claiming.join(' and ')} ${claiming.length === 1 ? 'is' : 'are'} claiming the lease`;
}

/** What a takeover was, with its time: `failover a → b, measured 8.1 ms`. */
export function takeoverText({ kind, from, to, gapMs }: Takeover): string {
  const who = from === null ? to : `${from} → ${to}`;
  return gapMs === null ? `${kind} ${who}` : `${kind} ${who}, measured ${humanMs(gapMs)}`;
}
