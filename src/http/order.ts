// What a request for a change may say, and what it means: one table for what is read and what is documented.
import { faultOfNodeId } from '../config/names.ts';
import { MAX_MS } from '../config/row-kinds.ts';
import type { Change, ChangeOrder } from './groups-source.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Field {
  readonly of: readonly Change[];
  readonly schema: Schema;
  /** What is wrong with a value; null: nothing. */
  readonly fault: (value: unknown) => string | null;
}

type FieldName = 'node' | 'force' | 'holdMs' | 'timeoutMs';

const FIELDS: Readonly<Record<FieldName, Field>> = {
  node: {
    of: ['promote', 'demote'],
    schema: {
      ...{ type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
      description: 'The node id. Default: promote the next in succession, demote the primary.',
    },
    fault: (value) => (typeof value === 'string' ? faultOfNodeId(value) : 'it is not a string'),
  },
  force: {
    of: ['promote'],
    schema: {
      ...{ type: 'boolean', default: false },
      description: 'Fence the current primary if it does not hand over.',
    },
    fault: (value) => (typeof value === 'boolean' ? null : 'it is neither true nor false'),
  },
  holdMs: {
    of: ['demote'],
    schema: {
      ...{ type: 'integer', minimum: 0, maximum: MAX_MS },
      description: 'How long the node stays out of the lead. Default: until another node has led.',
    },
    fault: (value) => faultOfMs(value, 0),
  },
  timeoutMs: {
    of: ['promote', 'demote'],
    schema: {
      ...{ type: 'integer', minimum: 1, maximum: MAX_MS, default: 90_000 },
      description: 'Time limit for the change.',
    },
    fault: (value) => faultOfMs(value, 1),
  },
};

const TIMEOUT_MS = 90_000;

/** Of the body of a request. */
export function orderSchema(change: Change): Schema {
  const named = Object.entries(FIELDS).filter(([, { of }]) => of.includes(change));
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(named.map(([name, { schema }]) => [name, schema])),
  };
}

/** What a body asks for, or in one sentence why it can't be done. */
export function readOrder(change: Change, text: string): ChangeOrder | string {
  const body = text.trim() === '' ? {} : objectIn(text);
  if (body === null) return 'The body is not a JSON object';
  for (const [name, value] of Object.entries(body)) {
    const field = Object.entries(FIELDS).find(([known]) => known === name)?.[1];
    if (field?.of.includes(change) !== true) {
      const known = Object.keys(FIELDS).filter((each) =>
        FIELDS[each as FieldName].of.includes(change),
      );
      const expected = known.length === 0 ? 'takes nothing' : `takes ${known.join(', ')}`;
      return `The body has ${JSON.stringify(name.slice(0, 40))}, and ${change} ${expected}`;
    }
    const fault = field.fault(value);
    if (fault !== null) return `Cannot use ${name} of the body: ${fault}`;
  }
  const { node, force, holdMs, timeoutMs } = body;
  return {
    change,
    node: typeof node === 'string' ? node : null,
    force: force === true,
    holdMs: typeof holdMs === 'number' ? holdMs : null,
    timeoutMs: typeof timeoutMs === 'number' ? timeoutMs : TIMEOUT_MS,
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // An object without a known shape is a map of unknown values.
    return isObject ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function faultOfMs(value: unknown, least: number): string | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return 'it is not a whole number';
  if (value >= least && value <= MAX_MS) return null;
  return `it is not between ${String(least)} and ${String(MAX_MS)}`;
}
