// Total checks of values that came from outside: none throws, each tells the compiler what it proved.
import { targetIn } from '../config/proxy-address.ts';
import type { HealthStatus, ToldDemotions } from '../core/health.ts';
import type { StandbyInfo, Standing, Takeover } from '../core/state.ts';

/** The longest body of a bus message or of a request, bytes. */
export const BODY_LIMIT_BYTES = 65_536;

/** The longest free text (reasons, versions) in a message, UTF-16 units. */
export const TEXT_LIMIT = 1024;

/** The properties of an object that came from outside. */
export type Fields = Readonly<Record<string, unknown>>;

/** The JSON value in these bytes, or `undefined` if they are not UTF-8 or not JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return value;
  } catch {
    return undefined;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A group, a node or a run: short, and safe in paths, topics and terminals. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

export function isNameOrNull(value: unknown): value is string | null {
  return value === null || isName(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_LIMIT;
}

/** An epoch or a sequence number: exact, and never below zero. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isDurationMs(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

export function isDurationMsOrNull(value: unknown): value is number | null {
  return value === null || isDurationMs(value);
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** The takeover in this value, without what else it carries; `undefined`: it is none. */
export function readTakeover(value: unknown): Takeover | undefined {
  if (!isFields(value)) return undefined;
  const { kind, from, to, epoch, reason, gapMs } = value;
  if (kind !== 'failover' && kind !== 'switchover' && kind !== 'start') return undefined;
  if (!isNameOrNull(from) || !isName(to) || !isCount(epoch)) return undefined;
  if (!isText(reason) || !isDurationMsOrNull(gapMs)) return undefined;
  return { kind, from, to, epoch, reason, gapMs };
}

/** What a primary says of its claim in this value; `undefined`: it is nothing of the kind. */
export function readStanding(value: unknown): Standing | undefined {
  if (!isFields(value)) return undefined;
  const { priority, chosen } = value;
  return isCount(priority) && isBoolean(chosen) ? { priority, chosen } : undefined;
}

/** The standby in this value, without what else it carries; `undefined`: it is none. */
export function readStandby(value: unknown): StandbyInfo | undefined {
  if (!isFields(value)) return undefined;
  const { node, run, willing, priority, standby, version, standingByMs } = value;
  if (!isName(node) || !isName(run) || !isBoolean(willing)) return undefined;
  if (typeof priority !== 'number' || !Number.isSafeInteger(priority)) return undefined;
  if (standby !== 'cold' && standby !== 'armed' && standby !== 'hot') return undefined;
  if (!isText(version) || !isDurationMs(standingByMs)) return undefined;
  const health = readHealth(value['health']);
  const told: StandbyInfo = { node, run, willing, priority, standby, version, standingByMs };
  return health === undefined ? told : Object.assign(told, { health });
}

/** What is said of a health; `undefined`: nothing, or a word of a later version. */
export function readHealth(value: unknown): HealthStatus | undefined {
  return value === 'healthy' || value === 'unhealthy' || value === 'unknown' ? value : undefined;
}

/** How often the lead was handed over for health; `undefined`: nothing of the kind is said. */
export function readDemotions(value: unknown): ToldDemotions | undefined {
  if (!isFields(value)) return undefined;
  const { count, agoMs } = value;
  return isCount(count) && isDurationMs(agoMs) ? { count, agoMs } : undefined;
}

/** Where a node's command is reached, as a part of what it says: none, if that can't be one. */
export function targetField(value: unknown): { readonly target?: string } {
  const target = isText(value) ? targetIn(value) : null;
  return target === null ? {} : { target: target.url };
}

const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
