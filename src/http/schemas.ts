// The forms of what is answered over HTTP, as JSON Schema: what `/openapi.json` refers to.
import { ROLE_OF_PHASE } from '../core/phases.ts';
import { ERRORS } from '../errors.ts';
import { CHECKS } from './node-checks.ts';
import { CHECKS_OF_ALL } from './process-checks.ts';

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const textOrNull: Schema = { type: ['string', 'null'] };
const count: Schema = { type: 'integer', minimum: 0 };
const countOrNull: Schema = { type: ['integer', 'null'] };
const flag: Schema = { type: 'boolean' };
const flagOrNull: Schema = { type: ['boolean', 'null'] };
const msOrNull: Schema = { type: ['number', 'null'] };
const time: Schema = { type: 'string', format: 'date-time' };

/** All of them are there; later versions may add others. */
function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', required: Object.keys(properties), properties };
}

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

const one: Schema = { const: 1 };

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Check: {
    type: 'object',
    required: ['v', 'ok', 'check', 'group', 'reason'],
    properties: {
      ...{ v: one, ok: flag, check: { enum: CHECKS }, group: text, reason: text, node: text },
      ...{
        role: { enum: [...new Set(Object.values(ROLE_OF_PHASE))] },
        phase: { enum: Object.keys(ROLE_OF_PHASE) },
        epoch: count,
        primary: textOrNull,
      },
      health: { enum: ['healthy', 'unhealthy', 'unknown', null] },
    },
  },
  ProcessCheck: objectOf({
    ...{ v: one, ok: flag, check: { enum: CHECKS_OF_ALL }, groups: count, refusing: count },
    refusals: listOf(objectOf({ group: text, reason: text })),
    reason: text,
  }),
  Takeover: objectOf({
    kind: { enum: ['failover', 'switchover', 'start'] },
    ...{ from: textOrNull, to: text, epoch: count, reason: text, gapMs: msOrNull },
  }),
  Node: objectOf({
    ...{ id: text, role: text, state: text, pid: countOrNull, host: text, version: text },
    ...{ epoch: countOrNull, standby: text, since: orNull(time), reason: text },
    ...{ strategy: textOrNull, priority: count, preemptsInMs: msOrNull, lastHeartbeatMs: msOrNull },
    latenessMs: msOrNull,
    ...{ hearsPrimary: flagOrNull, uptimeMs: { type: 'number' }, willing: flagOrNull },
    ...{ unwillingBecause: textOrNull, target: textOrNull, unhealthyBecause: textOrNull },
    workload: objectOf({ pid: countOrNull, state: text, restarts: count, health: textOrNull }),
    ...{ transport: { type: ['object', 'null'] }, lastSeenMs: msOrNull },
  }),
  GroupStatus: {
    ...objectOf({
      ...{ v: one, group: text, epoch: count, primary: textOrNull, paused: flag },
      warnings: listOf(text),
      takeover: objectOf({
        ...{ predictedMs: msOrNull, unpredictedBecause: textOrNull, lastMs: msOrNull },
        ...{ hangMs: msOrNull, starvedMs: msOrNull, last: orNull(ref('Takeover')) },
      }),
      lease: objectOf({
        ...{ kind: text, held: flag, holder: textOrNull, guards: listOf(text) },
        ...{ server: textOrNull, problem: textOrNull },
      }),
      ...{ succession: listOf(text), directory: text, nodes: listOf(ref('Node')) },
    }),
    description: 'The object of `failover status --json`.',
  },
  Groups: objectOf({ v: one, groups: listOf(text) }),
  GroupStatuses: objectOf({
    ...{ v: one, groups: listOf(ref('GroupStatus')), problems: listOf(ref('Problem')) },
  }),
  Problem: objectOf({ group: text, error: text, code: textOrNull, hint: textOrNull }),
  Paths: {
    type: 'object',
    required: ['v', 'paths'],
    properties: { v: one, group: text, paths: listOf(text) },
  },
  Done: objectOf({
    ...{ v: one, ok: { const: true }, group: text, change: text },
    said: { ...listOf(text), description: 'What the corresponding command would print.' },
    notes: { ...listOf(text), description: 'Additional information.' },
  }),
  Failure: objectOf({
    ...{ v: one, ok: { const: false }, error: text },
    code: {
      enum: [...Object.keys(ERRORS), null],
      description: 'A code of the error table; null: an HTTP error.',
    },
    hint: textOrNull,
  }),
  Transition: objectOf({
    ...{ group: text, node: text, run: textOrNull, time, from: textOrNull, to: text },
    ...{ role: textOrNull, epoch: count, reason: textOrNull, takeover: orNull(ref('Takeover')) },
    source: { enum: ['node', 'server', 'watch'] },
  }),
};
