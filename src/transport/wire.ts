// The bus messages: what a node publishes, as two frames, and what it accepts from others.
import type { Announcement } from '../core/effect.ts';
import type { HealthWords } from '../core/health.ts';
import { SUCCESSION_LIMIT } from '../core/settings.ts';
import type { Endpoints, Takeover } from '../core/state.ts';
import { decodeKey } from '../keys/z85.ts';
import {
  BODY_LIMIT_BYTES,
  TEXT_LIMIT,
  isBoolean,
  isCount,
  isDurationMs,
  isDurationMsOrNull,
  isFields,
  isName,
  isNameOrNull,
  isText,
  parseJson,
  readDemotions,
  readHealth,
  readStanding,
  readTakeover,
  targetField,
} from './checks.ts';
import type { Fields } from './checks.ts';

/** The version of the messages; another one is refused, never guessed at. */
const WIRE_VERSION = 1;

/** Who says it: the part of a message that the transport adds. */
export interface Sender {
  readonly group: string;
  readonly node: string;
  readonly run: string;
  /** Grows with every message of a run, so that a replay is noticed. */
  readonly seq: number;
  /** Wall clock, ISO 8601: for people, never for a decision. */
  readonly sentAt: string;
}

/** One kind of announcement. */
type Kind<K extends Announcement['kind']> = Extract<Announcement, { readonly kind: K }>;

/** Where the command of the sender is reached; none: it does not say. */
interface Reached {
  readonly target?: string;
}

/** A bus message as it was accepted. `startedAt` is ISO 8601, by the sender's wall clock. */
export type BusMessage = Sender &
  (
    | (Kind<'heartbeat'> & Reached & { readonly startedAt: string })
    | Kind<'role'>
    | (Kind<'promoted'> & Reached & { readonly endpoints: Endpoints })
    | Kind<'shutdown'>
  );

/** Why a message was refused. */
export const WIRE_REJECTIONS = [
  'malformed',
  'oversized',
  'foreign-group',
  'unknown-version',
  'bad-field',
] as const;

export type WireRejection = (typeof WIRE_REJECTIONS)[number];

export type Decoded = { readonly message: BusMessage } | { readonly rejected: WireRejection };

/** The prefix that a subscriber of a group asks for; the slash keeps `web` apart from `web2`. */
export function topicPrefix(group: string): string {
  return `${group}/`;
}

/**
 * Under which the heartbeats of all groups of a process go together, for those who follow many of them. No group has
 * such a name.
 */
export const HEARTBEATS_TOPIC = '*/heartbeats';

/** All kinds of messages of a group but its heartbeats. */
export function topicsBesideHeartbeats(group: string): readonly string[] {
  return BESIDE_HEARTBEATS.map((kind) => `${group}/${kind}`);
}

const BESIDE_HEARTBEATS: readonly Exclude<BusMessage['kind'], 'heartbeat'>[] = [
  'role',
  'promoted',
  'shutdown',
];

/** The body of a message with many heartbeats, from the bodies that they have alone. */
export function encodeTogether(bodies: readonly string[]): string {
  return `{"v":${String(WIRE_VERSION)},"heartbeats":[${bodies.join(',')}]}`;
}

/** What a message with many heartbeats has in it; total, as `decode`. */
export function decodeTogether(
  bytes: Uint8Array,
  knowsGroup: (group: string) => boolean,
): readonly Decoded[] {
  if (bytes.length > BODY_LIMIT_BYTES) return [{ rejected: 'oversized' }];
  const body = parseJson(bytes);
  if (!isFields(body)) return [MALFORMED];
  const { v, heartbeats } = body;
  if (typeof v === 'number' && v !== WIRE_VERSION) return [{ rejected: 'unknown-version' }];
  if (v !== WIRE_VERSION || !Array.isArray(heartbeats)) return [BAD_FIELD];
  return heartbeats.flatMap((heartbeat: unknown) => {
    if (!isFields(heartbeat) || !isName(heartbeat['group'])) return [BAD_FIELD];
    const { group } = heartbeat;
    // Others are said to those who follow them.
    return knowsGroup(group) ? [decodeBody(heartbeat, { group, kind: 'heartbeat' })] : [];
  });
}

/** The two frames of a message. Long texts are cut, so that what is sent is also accepted. */
export function encode(message: BusMessage): [topic: string, body: string] {
  const fields = bodyOf(message);
  // With a function that is asked for each value it takes several times as long.
  const body = isShort(fields) ? JSON.stringify(fields) : JSON.stringify(fields, shortened);
  return [`${message.group}/${message.kind}`, body];
}

/** All but the kind. By name for what is said most often: the engine copies what is spread by its slowest way. */
function bodyOf(message: BusMessage): object {
  // What is undefined is not in the text.
  if (message.kind !== 'heartbeat') return { v: WIRE_VERSION, ...message, kind: undefined };
  const body: Record<'v' | Exclude<keyof Heartbeat, 'kind'>, unknown> = {
    v: WIRE_VERSION,
    group: message.group,
    node: message.node,
    run: message.run,
    seq: message.seq,
    sentAt: message.sentAt,
    startedAt: message.startedAt,
    target: message.target,
    epoch: message.epoch,
    phase: message.phase,
    uptimeMs: message.uptimeMs,
    succession: message.succession,
    lastTakeover: message.lastTakeover,
    standing: message.standing,
    health: message.health,
    demotions: message.demotions,
  };
  return body;
}

type Heartbeat = Extract<BusMessage, { readonly kind: 'heartbeat' }>;

/** Whether nothing in it has to be cut. */
function isShort(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= TEXT_LIMIT;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.length <= SUCCESSION_LIMIT && value.every(isShort);
  for (const key in value) if (!isShort((value as Fields)[key])) return false;
  return true;
}

function shortened(key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, TEXT_LIMIT);
  return key === 'succession' && Array.isArray(value) ? value.slice(0, SUCCESSION_LIMIT) : value;
}

/**
 * The message in these frames, or why it is refused. Total: no bytes make it throw.
 * @param knowsGroup - whether this receiver listens to a group
 */
export function decode(
  frames: readonly Uint8Array[],
  knowsGroup: (group: string) => boolean,
): Decoded {
  const [topic, bytes] = frames;
  if (topic === undefined || bytes === undefined || frames.length !== 2) return MALFORMED;
  if (topic.length > TOPIC_LIMIT_BYTES || bytes.length > BODY_LIMIT_BYTES) {
    return { rejected: 'oversized' };
  }
  const match = TOPIC.exec(Buffer.from(topic).toString('latin1'));
  const group = match?.groups?.['group'];
  if (match === null || group === undefined) return MALFORMED;
  if (!knowsGroup(group)) return { rejected: 'foreign-group' };
  const body = parseJson(bytes);
  if (!isFields(body)) return MALFORMED;
  return decodeBody(body, { group, kind: match.groups?.['kind'] ?? '' });
}

function decodeBody(body: Fields, topic: { group: string; kind: string }): Decoded {
  const { v, group, node, run, seq, sentAt } = body;
  if (typeof v === 'number' && v !== WIRE_VERSION) return { rejected: 'unknown-version' };
  if (isName(group) && group !== topic.group) return { rejected: 'foreign-group' };
  if (v !== WIRE_VERSION || !isName(group) || !isName(node) || !isName(run)) return BAD_FIELD;
  if (!isCount(seq) || !isText(sentAt)) return BAD_FIELD;
  const announcement = readAnnouncement(topic.kind, body);
  if (announcement === undefined) return BAD_FIELD;
  return { message: Object.assign(announcement, { group, node, run, seq, sentAt }) };
}

/** What a message says beside who says it. */
type Said<M> = M extends BusMessage ? Omit<M, keyof Sender> : never;

function readAnnouncement(kind: string, body: Fields): Said<BusMessage> | undefined {
  switch (kind) {
    case 'heartbeat':
      return readHeartbeat(body);
    case 'role':
      return readRole(body);
    case 'promoted':
      return readPromoted(body);
    case 'shutdown':
      return readShutdown(body);
    default:
      return undefined;
  }
}

function readHeartbeat(body: Fields): Said<BusMessage> | undefined {
  const { epoch, phase, uptimeMs, startedAt } = body;
  const succession = readSuccession(body['succession']);
  const lastTakeover = readTakeoverOrNull(body['lastTakeover']);
  if (!isCount(epoch) || (phase !== 'primary' && phase !== 'promoting')) return undefined;
  if (!isDurationMs(uptimeMs) || !isText(startedAt)) return undefined;
  if (succession === undefined || lastTakeover === undefined) return undefined;
  const kind = 'heartbeat' as const;
  const said = { kind, epoch, phase, uptimeMs, startedAt, succession, lastTakeover } as const;
  // What most do not say takes no time.
  if (body['health'] !== undefined) Object.assign(said, readHealthWord(body));
  if (body['demotions'] !== undefined) Object.assign(said, readDemotionsWord(body));
  if (body['target'] !== undefined) Object.assign(said, targetField(body['target']));
  if (body['standing'] === undefined) return said;
  const standing = readStanding(body['standing']);
  return standing === undefined ? undefined : Object.assign(said, { standing });
}

function readRole(body: Fields): Said<BusMessage> | undefined {
  const { epoch, role, reason } = body;
  if (!isCount(epoch) || !isText(role) || !isText(reason)) return undefined;
  return { kind: 'role', epoch, role, reason };
}

function readPromoted(body: Fields): Said<BusMessage> | undefined {
  const { epoch, previous, reason } = body;
  const endpoints = readEndpoints(body['endpoints']);
  if (!isCount(epoch) || !isNameOrNull(previous) || !isText(reason)) return undefined;
  if (endpoints === undefined) return undefined;
  const said = { kind: 'promoted', epoch, previous, reason, endpoints } as const;
  return { ...said, ...targetField(body['target']) };
}

function readShutdown(body: Fields): Said<BusMessage> | undefined {
  const { epoch, reason, successor, completed, planned, workloadEndedAgoMs } = body;
  if (!isCount(epoch) || !isText(reason) || !isNameOrNull(successor)) return undefined;
  if (!isBoolean(completed) || !isBoolean(planned)) return undefined;
  if (!isDurationMsOrNull(workloadEndedAgoMs)) return undefined;
  const said = { reason, successor, completed, planned, workloadEndedAgoMs };
  return { kind: 'shutdown', epoch, ...said, ...readDemotionsWord(body) };
}

/** Of a node that is not asked, or of a version that does not say, there is none. */
function readHealthWord(body: Fields): Pick<HealthWords, 'health'> {
  const health = readHealth(body['health']);
  return health === undefined ? {} : { health };
}

function readDemotionsWord(body: Fields): Pick<HealthWords, 'demotions'> {
  const demotions = readDemotions(body['demotions']);
  return demotions === undefined ? {} : { demotions };
}

function readSuccession(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > SUCCESSION_LIMIT) return undefined;
  const names: readonly unknown[] = value;
  return names.every(isName) ? names : undefined;
}

function readTakeoverOrNull(value: unknown): Takeover | null | undefined {
  return value === null ? null : readTakeover(value);
}

function readEndpoints(value: unknown): Endpoints | undefined {
  if (!isFields(value)) return undefined;
  const { bus, rpc, key } = value;
  if (!isText(bus) || !isText(rpc)) return undefined;
  if (key === undefined) return { bus, rpc };
  return isText(key) && decodeKey(key) !== null ? { bus, rpc, key } : undefined;
}

const MALFORMED: Decoded = { rejected: 'malformed' };
const BAD_FIELD: Decoded = { rejected: 'bad-field' };

/** A group, a slash and a kind. */
export const TOPIC_LIMIT_BYTES = 256;
const TOPIC = /^(?<group>[A-Za-z0-9._-]+)\/(?<kind>[a-z]+)$/;
