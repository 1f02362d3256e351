// A run as text, to be kept and played again: one JSON line with the group, then one for each fault.
import { isFaultKind } from './faults.ts';
import type { Fault } from './faults.ts';
import type { Plan } from './plan.ts';
import { drawHealth, drawProfile } from './profile.ts';
import type { LeaseKind, Order, Profile, Proxies } from './profile.ts';
import { NODES_LIMIT, TIME_LIMIT_MS, faultOfValue } from './profile-limits.ts';
import { Random } from './random.ts';
import { nodeName } from './world.ts';

/** A text that is no transcript: what is wrong with it, and where. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
}

export function writeTranscript(plan: Plan): string {
  const { seed, nodes, troubleMs, profile, faults } = plan;
  const head = { v: VERSION, seed, nodes, troubleMs, ...profile };
  const lines = faults.map(({ atMs, kind, node, forMs }) => ({
    atMs,
    fault: kind,
    node: nodeName(node),
    forMs,
  }));
  return [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** @throws TranscriptError also for a run that would not end */
export function readTranscript(text: string): Plan {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [head, ...rest] = lines.map(parseLine);
  if (head === undefined) throw new TranscriptError('it is empty');
  if (head['v'] !== VERSION) throw new TranscriptError(`line 1: "v" is not ${String(VERSION)}`);
  const at = 'line 1';
  const nodes = numberOf(head, 'nodes', at);
  if (!Number.isInteger(nodes) || nodes < 1) throw new TranscriptError(`${at}: no nodes`);
  if (nodes > NODES_LIMIT) throw new TranscriptError(`${at}: more than ${NODES_LIMIT} nodes`);
  const names = Array.from({ length: nodes }, (_, index) => nodeName(index));
  const { settings, workload, clockDriftPpm, looksTakeTime } = head;
  const { lease = null, order = null, proxies = null, health = null } = head;
  return {
    seed: numberOf(head, 'seed', at),
    nodes,
    troubleMs: timeOf(head, 'troubleMs', at),
    profile: profileOf({
      ...{ settings, workload, clockDriftPpm, looksTakeTime, lease, order, proxies, health },
    }),
    faults: rest
      .map((line, index) => faultOf(line, names, `line ${String(index + 2)}`))
      .sort((a, b) => a.atMs - b.atMs),
  };
}

const VERSION = 1;

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseLine(text: string, index: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (isFields(value)) return value;
  throw new TranscriptError(`line ${String(index + 1)}: not a JSON object`);
}

function numberOf(fields: Fields, key: string, at: string): number {
  const value = fields[key];
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new TranscriptError(`${at}: "${key}" is not a number of 0 or more`);
}

function timeOf(fields: Fields, key: string, at: string): number {
  const timeMs = numberOf(fields, key, at);
  if (timeMs <= TIME_LIMIT_MS) return timeMs;
  throw new TranscriptError(`${at}: "${key}" is more than ${String(TIME_LIMIT_MS)} ms`);
}

function faultOf(line: Fields, names: readonly string[], at: string): Fault {
  const { fault: kind, node } = line;
  if (typeof kind !== 'string' || !isFaultKind(kind)) {
    throw new TranscriptError(`${at}: there is no fault ${shown(kind)}`);
  }
  const index = names.findIndex((name) => name === node);
  if (index < 0) throw new TranscriptError(`${at}: there is no node ${shown(node)}`);
  const [atMs, forMs] = [timeOf(line, 'atMs', at), timeOf(line, 'forMs', at)];
  return { atMs, kind, node: index, forMs };
}

/** A value for a message; only the beginning of a long text, and nothing of what is no text. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : `of type ${typeof value}`;
}

/** One without a lease of a server is of a file lease. */
function kindOf(value: unknown): LeaseKind {
  return isFields(value) && value['lease'] !== null ? 'timed' : 'file';
}

/** Every profile has the same keys with the same kinds of value: those of any that is drawn. */
function profileOf(value: unknown): Profile {
  const drawn = drawProfile(new Random(1), kindOf(value));
  const isOrdered = isFields(value) && value['order'] !== null;
  const hasProxies = isFields(value) && value['proxies'] !== null;
  const isAsked = isFields(value) && value['health'] !== null;
  const like = {
    ...drawn,
    order: isOrdered ? AN_ORDER : null,
    proxies: hasProxies ? SOME_PROXIES : null,
    health: isAsked ? drawHealth(new Random(1)) : null,
  };
  const fault = differenceOf(value, like, '');
  if (fault !== null) throw new TranscriptError(`line 1: ${fault}`);
  // Compared with one, key by key, and each value with what it may be.
  const profile = value as Profile;
  const { heartbeatIntervalMs, heartbeatTimeoutMs } = profile.settings;
  if (heartbeatTimeoutMs >= 2 * heartbeatIntervalMs) return profile;
  throw new TranscriptError(
    'line 1: "settings.heartbeatTimeoutMs" is less than 2 × "settings.heartbeatIntervalMs"',
  );
}

const SOME_PROXIES: Proxies = { count: 1, silent: 0 };

const AN_ORDER: Order = {
  strategy: 'priority',
  preempt: false,
  priorityWindowMs: 1,
  preemptDelayMs: 1,
  lastNeverLeads: false,
};

function differenceOf(value: unknown, like: unknown, path: string): string | null {
  if (like === null) return null;
  if (!isFields(like)) {
    if (typeof value !== typeof like) return `"${path}" is not a ${typeof like}`;
    const fault = faultOfValue(path.slice(path.lastIndexOf('.') + 1), value);
    return fault === null ? null : `"${path}" ${fault}`;
  }
  if (!isFields(value)) return `"${path}" is missing`;
  for (const [key, part] of Object.entries(like)) {
    const difference = differenceOf(value[key], part, path === '' ? key : `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}
