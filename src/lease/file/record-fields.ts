// Checks of the fields of records: a file that others can write is believed only after a look.
import type { Endpoints } from '../../core/state.ts';
import { decodeKey } from '../../keys/z85.ts';
import { isName } from '../../transport/checks.ts';
import type { ProcessIdentity, SessionRecord } from '../lease-store.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields | null {
  // An object without a known shape is a map of unknown values.
  return typeof value === 'object' && value !== null ? (value as Fields) : null;
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** The name of a group or a node: it goes on into variables, messages and terminals. */
export function name(value: unknown): string | null {
  return isName(value) ? value : null;
}

/** The name of a run. */
export function runName(value: unknown): string | null {
  return typeof value === 'string' && isRunName(value) ? value : null;
}

/** Whether a run can be the name of a file: records are written by others. */
export function isRunName(run: string): boolean {
  return RUN_NAME.test(run);
}

export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function endpoints(value: unknown): Endpoints | null {
  const fields = fieldsOf(value);
  const bus = text(fields?.['bus']);
  const rpc = text(fields?.['rpc']);
  if (bus === null || rpc === null) return null;
  const key = text(fields?.['key']);
  return key === null || decodeKey(key) === null ? { bus, rpc } : { bus, rpc, key };
}

export function processIdentity(value: unknown): ProcessIdentity | null {
  const fields = fieldsOf(value);
  const pid = finite(fields?.['pid']);
  const startTime = text(fields?.['startTime']);
  const bootId = text(fields?.['bootId']);
  const pidNamespace = text(fields?.['pidNamespace']);
  if (pid === null || !Number.isInteger(pid) || pid <= 0 || pid > PID_LIMIT) return null;
  if (startTime === null || bootId === null || pidNamespace === null) return null;
  return { pid, startTime, bootId, pidNamespace };
}

export function sessionRecords(value: unknown): SessionRecord[] | null {
  if (!Array.isArray(value)) return null;
  const sessions: SessionRecord[] = [];
  for (const entry of value) {
    const session = sessionRecord(entry);
    if (session === null) return null;
    sessions.push(session);
  }
  return sessions;
}

function sessionRecord(value: unknown): SessionRecord | null {
  const fields = fieldsOf(value);
  const process = processIdentity(fields?.['process']);
  const kind = fields?.['kind'];
  const active = fields?.['active'];
  const keep = fields?.['keep'];
  if (process === null || (kind !== 'workload' && kind !== 'hook')) return null;
  const stopsWithSupervisor = fields?.['stopsWithSupervisor'];
  if (typeof active !== 'boolean' || typeof keep !== 'boolean') return null;
  if (typeof stopsWithSupervisor !== 'boolean') return null;
  return { process, kind, active, keep, stopsWithSupervisor };
}

const RUN_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A larger number would become another one on its way to the kernel: 2 ** 32 - 1 is -1, everyone. */
const PID_LIMIT = 2 ** 31 - 1;
