// The answer to `instance.status` as a client believes it: from another process, perhaps another version.
import type { NodeStatus } from '../runtime/node-status.ts';
import {
  isBoolean,
  isCount,
  isDurationMs,
  isFields,
  isName,
  readHealth,
  readTakeover,
} from '../transport/checks.ts';
import type { Fields } from '../transport/checks.ts';

/** The status in an answer, or null when it lacks something that is shown. Never throws. */
export function readNodeStatus(value: unknown): NodeStatus | null {
  if (!isFields(value)) return null;
  const { workload, lease, takeover, transport, lastTakeover, priority } = value;
  if (!isFields(workload) || !isFields(lease) || !isFields(takeover)) return null;
  if (!isFields(transport)) return null;
  const taken = readTakeover(lastTakeover);
  const complete =
    hasAll(value, NAMES, isName) &&
    hasAll(value, TEXTS, isString) &&
    hasAll(value, ['unwillingBecause', 'warning'], orNull(isString)) &&
    hasAll(value, ['primary'], orNull(isName)) &&
    hasAll(value, ['epoch', 'pid', 'restarts'], isCount) &&
    hasAll(value, ['roleForMs', 'uptimeMs'], isAgeMs) &&
    hasAll(value, ['lastHeartbeatMs'], orNull(isAgeMs)) &&
    hasAll(value, ['willing', 'paused'], isBoolean) &&
    Number.isSafeInteger(priority) &&
    hasAll(takeover, ['crashMs', 'hangMs', 'starvedMs'], orNull(isAgeMs)) &&
    hasAll(workload, ['state'], isString) &&
    hasAll(workload, ['health'], orNull(isString)) &&
    hasAll(workload, ['pid'], orNull(isCount)) &&
    hasAll(workload, ['restarts'], isCount) &&
    hasAll(transport, COUNTS, isCount) &&
    hasAll(transport, COUNTS_BY_CAUSE, isCounts) &&
    isCounts(transport['distrusted'] ?? {}) &&
    hasAll(lease, ['kind'], isName) &&
    isListOf(lease['guards'], isString) &&
    isSight(lease['seen']) &&
    isListOf(value['succession'], isName) &&
    (lastTakeover === null || taken !== undefined);
  // What status shows as a whole is taken without what else it carries: that could be of any depth.
  const known = {
    ...value,
    ...orderIn(value),
    ...healthIn(value),
    latenessMs: isAgeMs(value['latenessMs']) ? value['latenessMs'] : null,
    // One of an earlier version takes it for a silent one, and says so.
    hearsPrimary: value['hearsPrimary'] !== false,
    transport: countersOf(transport),
    lastTakeover: taken ?? null,
  };
  // Everything that a client reads has been looked at; the rest is passed on unread.
  return complete ? (known as unknown as NodeStatus) : null;
}

/** A node of an earlier version says nothing of it: it races. */
function orderIn({ strategy, preemptsInMs }: Fields): Fields {
  return {
    strategy: strategy === 'priority' ? 'priority' : 'race',
    preemptsInMs: isAgeMs(preemptsInMs) ? preemptsInMs : null,
  };
}

/** One of an earlier version asks nothing. */
function healthIn({ health, unhealthyBecause }: Fields): Fields {
  return {
    health: readHealth(health) ?? null,
    unhealthyBecause: isString(unhealthyBecause) ? unhealthyBecause : null,
  };
}

function countersOf(transport: Fields): Fields {
  const names = [...COUNTS, ...COUNTS_BY_CAUSE];
  const known = Object.fromEntries(names.map((name) => [name, transport[name]]));
  // Nodes that talk within their machine only may be of a version that has none.
  return { ...known, distrusted: transport['distrusted'] ?? {} };
}

const NAMES = ['id', 'run'];
const TEXTS = ['role', 'phase', 'version', 'standby', 'reason', 'host', 'startedAt'];

const COUNTS = ['received', 'delivered', 'dropped', 'requests'];
const COUNTS_BY_CAUSE = ['rejected', 'requestsRejected', 'answersRejected'];

type Check = (value: unknown) => boolean;

/** Of any length: the answer as a whole has a limit. */
function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function hasAll(fields: Fields, names: readonly string[], check: Check): boolean {
  return names.every((name) => check(fields[name]));
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function isListOf(value: unknown, check: Check): boolean {
  return Array.isArray(value) && value.every(check);
}

/** What a server showed of its lease; nodes whose lease is a file, or that are older, have none. */
function isSight(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (!isFields(value)) return false;
  const { holder } = value;
  const known = holder === null || (isFields(holder) && hasAll(holder, ['node', 'run'], isName));
  return known && isCount(value['epoch']) && hasAll(value, ['held', 'paused'], isBoolean);
}

/** Counts by cause; a later version may know of more. */
function isCounts(value: unknown): boolean {
  return (
    isFields(value) && Object.entries(value).every(([cause, n]) => isName(cause) && isCount(n))
  );
}

/** A time before now that a date can say. */
function isAgeMs(value: unknown): boolean {
  return isDurationMs(value) && value <= AGE_LIMIT_MS;
}

/** Some three hundred years. */
const AGE_LIMIT_MS = 1e13;
