// The table of paths: what each answers and with which status. The server and `/openapi.json` are made of it.
import { CHANGES } from './groups-source.ts';
import type { Change } from './groups-source.ts';
import { CHECKS } from './node-checks.ts';
import type { Check } from './node-checks.ts';
import { CHECKS_OF_ALL, CHECKS_OF_ONE } from './process-checks.ts';
import type { CheckOfAll } from './process-checks.ts';

/** What is done for a path. */
type Task =
  | { readonly kind: 'root' | 'metrics' | 'openapi' | 'groups' | 'status' | 'statuses' | 'events' }
  | { readonly kind: 'check' | 'check-of-one'; readonly check: Check }
  | { readonly kind: 'check-of-all'; readonly check: CheckOfAll }
  | { readonly kind: 'change'; readonly change: Change };

export interface Answer {
  readonly about: string;
  /** A schema of `schemas.ts`; null: it is no JSON. */
  readonly schema: string | null;
  readonly type: string;
}

export interface Route {
  /** As of OpenAPI; `{group}` stands for the name of a group. */
  readonly path: string;
  readonly task: Task;
  readonly method: 'get' | 'post';
  readonly summary: string;
  readonly answers: Readonly<Record<number, Answer>>;
}

export interface Places {
  /** The paths without a group speak of one. */
  readonly hasOnlyOne: boolean;
  /** A node of each group runs in this process. */
  readonly hasNodes: boolean;
  readonly hasMetrics: boolean;
}

/** The paths of one server, in the order in which they are told. */
export function routesOf({ hasOnlyOne, hasNodes, hasMetrics }: Places): readonly Route[] {
  const ofGroup = [...(hasNodes ? CHECK_ROUTES : []), STATUS, EVENTS, ...CHANGE_ROUTES];
  return [
    ROOT,
    ...(hasOnlyOne ? ofGroup : [...(hasNodes ? PROCESS_CHECK_ROUTES : []), STATUSES, EVENTS]),
    ...(hasMetrics ? [METRICS] : []),
    ...[GROUPS, ...ofGroup.map(underGroup), OPENAPI],
  ];
}

function json(about: string, schema: string): Answer {
  return { about, schema, type: 'application/json' };
}

function get(path: string, task: Task, summary: string): Omit<Route, 'answers'> {
  return { path, task, summary, method: 'get' };
}

function underGroup(route: Route): Route {
  const { path, answers } = route;
  const unknown = json('There is no such group.', 'Failure');
  return { ...route, path: `/groups/{group}${path}`, answers: { ...answers, 404: unknown } };
}

const ROOT: Route = {
  ...get('/', { kind: 'root' }, 'A list of all paths; browsers get the dashboard.'),
  answers: { 200: json('The paths.', 'Paths') },
};

const QUESTIONS: Readonly<Record<Check, string>> = {
  primary: 'Is this node the primary, and is its command running?',
  secondary: 'Is this node on standby and not unhealthy?',
  health: 'Are there no unhealthy checks here?',
  liveness: 'Is this node responding and not shutting down?',
  readiness: 'Is this node primary, or would it take over?',
};

const CHECK_ROUTES: readonly Route[] = CHECKS.map((check) => ({
  ...get(`/${check}`, { kind: 'check', check }, QUESTIONS[check]),
  answers: { 200: json('Yes.', 'Check'), 503: json('No; the reason says why.', 'Check') },
}));

const PROCESS_QUESTIONS: Readonly<Record<CheckOfAll, string>> = {
  health: 'Are there no unhealthy checks here, in any group?',
  liveness: 'Is this process responding and not shutting down?',
  readiness: 'Is the node of each group primary, or would it take over?',
};

/** Of a process with nodes of several groups. */
const PROCESS_CHECK_ROUTES: readonly Route[] = [
  ...CHECKS_OF_ONE.map((check): Route => ({
    ...get(
      `/${check}`,
      { kind: 'check-of-one', check },
      `${QUESTIONS[check]} Only if there is exactly one group.`,
    ),
    answers: {
      200: json('Yes.', 'Check'),
      400: json('There are several groups: request one of them.', 'Failure'),
      503: json('No; the reason says why.', 'Check'),
    },
  })),
  ...CHECKS_OF_ALL.map((check): Route => ({
    ...get(`/${check}`, { kind: 'check-of-all', check }, PROCESS_QUESTIONS[check]),
    answers: {
      200: json('Yes.', 'ProcessCheck'),
      503: json('No; the reason says why.', 'ProcessCheck'),
    },
  })),
];

const STATUS: Route = {
  ...get(
    '/status',
    { kind: 'status' },
    'The group with all its nodes, as `failover status --json`.',
  ),
  answers: {
    200: json('The status.', 'GroupStatus'),
    503: json('The group cannot be read.', 'Failure'),
  },
};

const STATUSES: Route = {
  ...get('/status', { kind: 'statuses' }, 'All groups with their nodes.'),
  answers: {
    200: json('The status of each group, and why others cannot be read.', 'GroupStatuses'),
  },
};

const EVENTS: Route = {
  ...get(
    '/events',
    { kind: 'events' },
    'Transitions of all nodes and changes of the status, as they happen. `Last-Event-ID` resumes.',
  ),
  answers: {
    200: {
      about: 'An endless stream of server-sent events.',
      schema: null,
      type: 'text/event-stream',
    },
    403: json('The request came from a page of another site.', 'Failure'),
    503: json('Too many clients are following events.', 'Failure'),
  },
};

const SUMMARIES: Readonly<Record<Change, string>> = {
  promote: 'Make a node the primary, as `failover promote`.',
  demote: 'Make the primary step down, as `failover demote`.',
  pause: 'Suspend automatic promotion, as `failover pause`.',
  resume: 'Allow automatic promotion again, as `failover resume`.',
};

const CHANGE_ROUTES: readonly Route[] = CHANGES.map((change) => ({
  path: `/${change}`,
  task: { kind: 'change', change },
  method: 'post',
  summary: SUMMARIES[change],
  answers: {
    200: json('It is done.', 'Done'),
    400: json('The body is invalid.', 'Failure'),
    401: json('The token is missing or wrong.', 'Failure'),
    403: json(
      'No token is configured, or the request came from a page of another site.',
      'Failure',
    ),
    404: json('There is no such node.', 'Failure'),
    409: json('It was refused.', 'Failure'),
    413: json('The body is too long.', 'Failure'),
    415: json('The content type is not JSON.', 'Failure'),
    429: json('Too many wrong tokens.', 'Failure'),
    500: json('The change failed on this machine.', 'Failure'),
    502: json('The node failed, or cannot be reached.', 'Failure'),
    503: json('There is no primary, or too many changes are in progress.', 'Failure'),
    504: json('It timed out and may still complete.', 'Failure'),
  },
}));

const METRICS: Route = {
  ...get('/metrics', { kind: 'metrics' }, 'Prometheus metrics.'),
  answers: { 200: { about: 'The measures.', schema: null, type: 'text/plain' } },
};

const GROUPS: Route = {
  ...get('/groups', { kind: 'groups' }, 'The names of the groups.'),
  answers: { 200: json('The names.', 'Groups') },
};

const OPENAPI: Route = {
  ...get('/openapi.json', { kind: 'openapi' }, 'This description.'),
  answers: { 200: { about: 'OpenAPI 3.1.', schema: null, type: 'application/json' } },
};
