// The answer to `instance.status` as a client believes it: from another process, perhaps another version.
import type { NodeStatus } from '../runtime/node-status.ts';

/** The status in an answer, or null when it lacks something that is shown. Never throws. */
export function readNodeStatus(value: unknown): NodeStatus | null {
  const fields = fieldsOf(value);
  const workload = fieldsOf(fields?.['workload']);
  const lease = fieldsOf(fields?.['lease']);
  const takeover = fieldsOf(fields?.['takeover']);
  if (fields === null || workload === null || lease === null || takeover === null) return null;
  const complete =
    hasAll(fields, TEXTS, 'string') &&
    hasAll(fields, NUMBERS, 'number') &&
    hasAll(fields, FLAGS, 'boolean') &&
    ['crashMs', 'hangMs', 'starvedMs'].every((name) => isNumberOrNull(takeover[name])) &&
    hasAll(workload, ['state'], 'string') &&
    hasAll(workload, ['restarts'], 'number') &&
    isTexts(lease['guards']) &&
    isTexts(fields['succession']) &&
    isTakeoverOrNull(fields['lastTakeover']);
  // Everything that a client reads has been looked at; the rest is passed on unread.
  return complete ? (value as NodeStatus) : null;
}

const TEXTS = ['id', 'run', 'role', 'phase', 'version', 'standby', 'reason', 'host', 'startedAt'];
const NUMBERS = ['epoch', 'priority', 'roleForMs', 'uptimeMs', 'pid', 'restarts'];
const FLAGS = ['willing', 'paused'];

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | null {
  // An object without a known shape is a map of unknown values.
  return typeof value === 'object' && value !== null ? (value as Fields) : null;
}

function hasAll(fields: Fields, names: readonly string[], type: string): boolean {
  return names.every((name) => typeof fields[name] === type);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

function isTakeoverOrNull(value: unknown): boolean {
  if (value === null) return true;
  const fields = fieldsOf(value);
  if (fields === null || !hasAll(fields, ['kind', 'to', 'reason'], 'string')) return false;
  const { epoch, gapMs } = fields;
  return typeof epoch === 'number' && isNumberOrNull(gapMs);
}
