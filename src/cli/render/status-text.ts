// `failover status` for people: one heading, one row for each node, then what matters about takeovers.
import type { Takeover } from '../../core/state.ts';
import type { GroupStatus, NodeEntry } from '../group-status.ts';
import type { Paint } from './paint.ts';
import { counted } from '../../core/counted.ts';
import { humanMs } from '../../core/duration-text.ts';
import { printable } from './plain.ts';
import { table } from './table.ts';

/** The lines of a status. */
export function statusLines(seen: GroupStatus, paint: Paint): string[] {
  const status = printableParts(seen);
  const lines = [heading(status, paint), ''];
  if (status.nodes.length > 0) {
    const titles = hasTargets(status) ? [...HEAD, 'TARGET'] : HEAD;
    const head = titles.map((title) => paint.faint(title));
    lines.push(...table([head, ...status.nodes.map((node) => row(node, status, paint))]), '');
  }
  lines.push(...facts(status, paint));
  for (const warning of status.warnings) {
    lines.push(`${paint.warn('warning'.padEnd(LABEL_WIDTH))}${warning}`);
  }
  return lines;
}

/** One line, for a log: who leads, and who stands by. */
export function statusLine(seen: GroupStatus): string {
  const status = printableParts(seen);
  const others = status.nodes.filter(({ id }) => id !== status.primary);
  const shown = others.map(({ id, state }) => `${id} ${state}`).join(', ');
  const leader = status.primary === null ? 'no primary' : `primary ${status.primary}`;
  const paused = status.paused ? ', paused' : '';
  return `${status.group}: ${leader}, epoch ${status.epoch}${paused}${shown === '' ? '' : `; ${shown}`}`;
}

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

const HEAD = ['NODE', 'ROLE', 'STATE', 'EPOCH', 'PID', 'WORKLOAD', 'HEARTBEAT', 'UPTIME'];
const LABEL_WIDTH = 10;

function heading(status: GroupStatus, paint: Paint): string {
  const name = paint.strong(status.group);
  const paused = status.paused ? paint.warn('  paused') : '';
  if (status.primary !== null) {
    return `${name}  ${paint.good(`primary ${status.primary}`)}  epoch ${status.epoch}${paused}`;
  }
  if (status.nodes.length === 0) return `${name}  ${paint.bad('no node is alive')}${paused}`;
  return `${name}  ${paint.bad('no primary')}  epoch ${status.epoch}${paused}`;
}

function row(node: NodeEntry, status: GroupStatus, paint: Paint): string[] {
  const leads = node.id === status.primary;
  const settled = node.state === 'primary' || node.state === 'secondary';
  const state = node.state === 'unresponsive' ? paint.bad(node.state) : paint.warn(node.state);
  return [
    leads ? paint.strong(node.id) : node.id,
    leads ? paint.good(node.role) : node.role,
    settled
      ? settledState(node, leads, paint)
      : node.lastSeenMs === null
        ? state
        : `on ${node.host}`,
    node.epoch === null ? '-' : String(node.epoch),
    node.pid === null ? '-' : String(node.pid),
    workloadText(node),
    heartbeat(node),
    humanMs(node.uptimeMs),
    ...(hasTargets(status) ? [node.target ?? '-'] : []),
  ];
}

/** Where none of them is reached there is nothing to tell. */
function hasTargets({ nodes }: GroupStatus): boolean {
  return nodes.some(({ target }) => target !== null);
}

/** Of a node elsewhere: when the server of the lease saw it last. */
function heartbeat({ lastHeartbeatMs, lastSeenMs }: NodeEntry): string {
  const ageMs = lastSeenMs ?? lastHeartbeatMs;
  return ageMs === null ? '-' : humanMs(ageMs);
}

function settledState({ role, willing }: NodeEntry, leads: boolean, paint: Paint): string {
  if (leads) return 'serving';
  if (role === 'primary') return paint.bad('without lease');
  return willing === false ? 'not willing' : 'standing by';
}

function workloadText({ workload, standby, lastSeenMs }: NodeEntry): string {
  const { pid, state, restarts, health } = workload;
  if ((state === 'none' || lastSeenMs !== null) && pid === null) {
    return health === null ? standby : `${standby} ${health}`;
  }
  const parts = [state, ...(pid === null ? [] : [String(pid)])];
  if (restarts > 0) parts.push(counted(restarts, 'restart'));
  if (health !== null) parts.push(health);
  return parts.join(' ');
}

function facts(status: GroupStatus, paint: Paint): string[] {
  const { lease, takeover, succession, directory, nodes, epoch } = status;
  // Nothing of it ever ran here: there is no lease and no directory.
  if (nodes.length === 0 && epoch === 0) return [];
  const fact = (label: string, text: string): string =>
    `${paint.faint(label.padEnd(LABEL_WIDTH))}${text}`;
  const lines = [
    fact(
      'lease',
      `${lease.server ?? leaseWord(lease.kind)}, ${holdingText(lease)}; ` +
        `guards: ${lease.guards.map(leaseWord).join(', ')}` +
        // What no other lease lacks is said wherever people look.
        (lease.kind === 'peers' ? '; nothing guards against a partition' : ''),
    ),
  ];
  if (nodes.length > 0) lines.push(fact('takeover', prediction(status)));
  if (takeover.last !== null && takeover.last.kind !== 'start') {
    lines.push(fact('last', takeoverText(takeover.last)));
  }
  if (nodes.length > 0) {
    lines.push(
      fact('next', succession.length === 0 ? nobodyNext(status) : succession.join(', then ')),
    );
  }
  const order = orderText(nodes);
  if (order !== null) lines.push(fact('order', order));
  const unheard = unheardText(status);
  if (unheard !== null) lines.push(fact('unheard', unheard));
  lines.push(fact('directory', directory));
  for (const { id, transport } of nodes) {
    const refused = refusalsOf(transport);
    if (refused !== '') lines.push(fact('refused', `${id}: ${refused}`));
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
  const by = `held by ${holder ?? 'a process that is no node of the group'}`;
  return isUnseen ? `${by} as seen last` : by;
}

function isOfFiles(kind: GroupStatus['lease']['kind']): boolean {
  return kind === 'file' || kind === 'static';
}

/** Who knows of the primary by its lease alone, which is no fault, and how it would be heard; null: nobody. */
function unheardText({ nodes, primary }: GroupStatus): string | null {
  const unheard = nodes.filter(({ hearsPrimary }) => hearsPrimary === false).map(({ id }) => id);
  if (unheard.length === 0) return null;
  return (
    `${primary ?? 'the primary'}, of which its lease alone tells ${unheard.join(', ')}: ` +
    'its sockets are not on this machine; with --bind tcp://… on each node it is heard'
  );
}

/** Who goes before whom, where somebody waits for that; null: they race. */
function orderText(nodes: readonly NodeEntry[]): string | null {
  if (!nodes.some(({ strategy }) => strategy === 'priority')) return null;
  const sorted = [...nodes].sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  const places = sorted.map(({ id, priority, strategy }) => {
    const races = strategy === 'race' ? ' (races)' : '';
    return `${id} ${priority === 0 ? 'never leads' : String(priority)}${races}`;
  });
  const next = nodes.find(({ preemptsInMs }) => preemptsInMs !== null);
  const preempts =
    next === undefined
      ? ''
      : `; ${next.id} asks for the lead in ${humanMs(next.preemptsInMs ?? 0)}`;
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
  ['unexpected-signature', 'signed, and here is no secret'],
  ['unauthorized-key', 'a key that is not authorized'],
  ['broken-handshake', 'no handshake'],
]);

/** What the next in succession expects of itself; nothing where there is no next, or nothing to take. */
function prediction(status: GroupStatus): string {
  const { primary, succession, takeover } = status;
  const [next] = succession;
  if (primary === null) return 'nothing to predict: nobody leads';
  if (next === undefined) {
    return standingElsewhere(status).length > 0
      ? 'not predicted: those that stand by are elsewhere'
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
function takeoverText({ kind, from, to, gapMs }: Takeover): string {
  const who = from === null ? to : `${from} → ${to}`;
  return gapMs === null ? `${kind} ${who}` : `${kind} ${who}, measured ${humanMs(gapMs)}`;
}
