// The paths of a server, as `routes.ts` has them: who may ask, what is answered, and what is counted.
import { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { isCrossSite } from './access.ts';
import type { Access } from './access.ts';
import { readBody } from './body.ts';
import type { EventClients } from './event-clients.ts';
import { failureBody, failureOf } from './failures.ts';
import type { Change, GroupsSource } from './groups-source.ts';
import { ABSENCES, refusalAt } from './node-checks.ts';
import type { Absence, Check, NodeSight } from './node-checks.ts';
import { openApiOf } from './openapi.ts';
import { readOrder } from './order.ts';
import type { Page } from './page.ts';
import { processAnswer } from './process-checks.ts';
import type { CheckOfAll, ProcessAnswer } from './process-checks.ts';
import { routesOf } from './routes.ts';
import type { Route } from './routes.ts';
import { Shared } from './shared.ts';
import { statusesOf } from './statuses.ts';

export interface AppParts {
  readonly groups: GroupsSource;
  /** How the node of a group in this process is, or why it is not there. Left out: there are no nodes here. */
  readonly look?: (group: string) => NodeSight | Absence;
  /** Whether the process is to end; left out: that is for its one node to say. */
  readonly isEnding?: () => boolean;
  /** Left out: nothing is measured here. */
  readonly metrics?: { readonly type: string; readonly text: () => Promise<string> };
  readonly access: Access;
  readonly events: EventClients;
  /** What a browser gets; left out: what others get. */
  readonly page?: Page;
  /** Told of each answer; the path is that of the table. */
  readonly onAnswer: (path: string, status: number) => void;
  /** Only this machine reaches it: then a request for any other name was made by a page of that name in a browser. */
  readonly isLocal: () => boolean;
}

interface Env {
  /** None where it is asked without a socket. */
  readonly Bindings: Partial<HttpBindings>;
}

export type App = Hono<Env>;

type Asked = Context<Env>;

/** The longest body of a request for a change. */
const BODY_LIMIT_BYTES = 4096;

/** Changes that are under way at a time, each of which holds a connection. */
const MOST_CHANGES = 8;

export function httpApp(parts: AppParts): App {
  const app: App = new Hono();
  const server = new Answers(parts);
  app.use(async (context, next) => {
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    const host = context.req.header('host');
    if (parts.isLocal() && host !== undefined && !isOfThisMachine(host)) {
      return server.refuse(context, 421, `${host} is not this machine: use 127.0.0.1`);
    }
    return next();
  });
  for (const route of server.routes) {
    const path = route.path.replace('{group}', ':group');
    if (route.method === 'post') {
      app.post(path, (context) => server.answer(context, route));
      app.options(path, (context) => server.tellMethods(context, route));
    } else {
      app.on(['GET', 'OPTIONS'], path, (context) => server.answer(context, route));
    }
    app.all(path, (context) => server.refuseMethod(context, route));
  }
  for (const name of parts.page?.files ?? []) {
    app.get(`/assets/${name}`, (context) => server.file(context, name));
    app.all(`/assets/${name}`, (context) => server.refuseMethod(context, FILES));
  }
  app.onError((error, context) => {
    const { status, body } = failureOf(error);
    return server.say(context, status, body);
  });
  app.notFound((context) => server.nothing(context));
  return app;
}

class Answers {
  readonly routes: readonly Route[];
  readonly #parts: AppParts;
  readonly #paths: readonly string[];
  /** Of all groups, for all who ask for them. */
  readonly #statuses: Shared<string>;
  /** What all groups say together, likewise. */
  readonly #process: Shared<ProcessAnswer, CheckOfAll>;
  #changes = 0;
  #largeAnswers = 0;

  constructor(parts: AppParts) {
    this.#parts = parts;
    this.routes = routesOf({
      hasOnlyOne: parts.groups.only !== null,
      hasNodes: parts.look !== undefined,
      hasMetrics: parts.metrics !== undefined,
    });
    this.#statuses = new Shared(() => statusesOf(parts.groups));
    this.#process = new Shared((check) => this.#answerOfAll(check));
    this.#paths = this.routes.map(({ path }) => path).slice(1);
  }

  async answer(context: Asked, route: Route): Promise<Response> {
    const group = context.req.param('group') ?? this.#parts.groups.only;
    if (route.path.includes('{group}') && !this.#parts.groups.list().includes(group ?? '')) {
      const unknown = failureBody(
        'There is no such group here',
        'Request /groups for a list of groups.',
      );
      return this.say(context, 404, unknown, route.path);
    }
    try {
      return await this.#do(context, route, group);
    } catch (error) {
      const { status, body } = failureOf(error);
      return this.say(context, status, body, route.path);
    }
  }

  #do(context: Asked, route: Route, group: string | null): Response | Promise<Response> {
    const { task, path } = route;
    const { groups } = this.#parts;
    const tell = (value: object): Response => this.say(context, 200, value, path);
    switch (task.kind) {
      case 'root':
        return this.#root(context, path);
      case 'openapi':
        return tell(openApiOf(this.routes));
      case 'metrics':
        return this.#metrics(context, path);
      case 'groups':
        return tell({ v: 1, groups: groups.list() });
      case 'statuses':
        return this.#large(context, path, {
          type: 'application/json',
          text: () => this.#statuses.at(''),
        });
      case 'events':
        return this.#events(context, path, group);
      case 'status':
        return groups.status(named(group)).then(tell);
      case 'check':
        return this.#check(context, path, { check: task.check, group: named(group) });
      case 'check-of-one':
        return this.#checkOfOne(context, path, task.check);
      case 'check-of-all':
        return this.#process.at(task.check).then((answer) => {
          return this.say(context, answer.ok ? 200 : 503, answer, path);
        });
      case 'change':
        return this.#change(context, path, { change: task.change, group: named(group) });
    }
  }

  #root(context: Asked, path: string): Response {
    const { page, groups } = this.#parts;
    context.header('Vary', 'Accept');
    if (page !== undefined && /\btext\/html\b/.test(context.req.header('accept') ?? '')) {
      this.#parts.onAnswer(path, 200);
      return page.answer(context.req.raw, 'index.html');
    }
    const about = groups.only === null ? {} : { group: groups.only };
    return this.say(context, 200, { v: 1, ...about, paths: this.#paths }, path);
  }

  file(context: Asked, name: string): Response {
    const { page, onAnswer } = this.#parts;
    onAnswer(FILES.path, 200);
    return page?.answer(context.req.raw, name) ?? this.nothing(context);
  }

  #metrics(context: Asked, path: string): Promise<Response> {
    const { metrics } = this.#parts;
    return this.#large(context, path, {
      type: metrics?.type ?? '',
      text: async () => (await metrics?.text()) ?? '',
    });
  }

  /** What may be megabytes for each who asks: so many at a time, and none of them for long. */
  async #large(
    context: Asked,
    path: string,
    { type, text }: { readonly type: string; readonly text: () => Promise<string> },
  ): Promise<Response> {
    if (isCrossSite({ header: (name) => context.req.header(name) })) {
      return this.refuse(context, 403, 'The request came from a page of another site', path);
    }
    if (this.#largeAnswers >= MOST_LARGE_ANSWERS) {
      context.header('Connection', 'close');
      context.header('Retry-After', '1');
      return this.refuse(context, 503, 'Too many concurrent requests', path);
    }
    const { outgoing } = context.env;
    if (outgoing !== undefined) this.#countUntilSent(outgoing);
    // Before: the metrics count their own answer.
    this.#parts.onAnswer(path, 200);
    return context.body(await text(), 200, { 'content-type': type });
  }

  #countUntilSent(outgoing: NonNullable<Asked['env']['outgoing']>): void {
    const { socket } = outgoing.req;
    // Nobody is left to say when it is over.
    if (outgoing.closed || socket.destroyed) return;
    this.#largeAnswers += 1;
    let isCounted = true;
    const end = (): void => {
      if (!isCounted) return;
      isCounted = false;
      clearTimeout(limit);
      socket.removeListener('close', end);
      this.#largeAnswers -= 1;
    };
    const limit = setTimeout(() => {
      outgoing.destroy();
      end();
    }, LARGE_ANSWER_LIMIT_MS).unref();
    outgoing.once('close', end);
    // One that never had its turn on its connection does not say that it is closed.
    socket.once('close', end);
  }

  #events(context: Asked, path: string, group: string | null): Response {
    const { events, onAnswer } = this.#parts;
    if (isCrossSite({ header: (name) => context.req.header(name) })) {
      return this.refuse(context, 403, 'The request came from a page of another site', path);
    }
    if (context.req.method === 'OPTIONS') return this.tellMethods(context, null);
    const { outgoing } = context.env;
    if (outgoing === undefined || context.req.method === 'HEAD') {
      onAnswer(path, 200);
      return context.body(null, 200, { 'content-type': 'text/event-stream' });
    }
    if (outgoing.socket === null) {
      // One that was asked for behind another answer on the same connection: its turn may never come.
      context.header('Connection', 'close');
      return this.refuse(context, 503, 'Events require a dedicated connection', path);
    }
    if (events.isFull) {
      // Its connection is free for others at once.
      context.header('Connection', 'close');
      context.header('Retry-After', '10');
      return this.refuse(context, 503, 'Too many clients are following events', path);
    }
    onAnswer(path, 200);
    const after = context.req.query('after') ?? context.req.header('last-event-id') ?? null;
    events.add(outgoing, { after, group });
    return RESPONSE_ALREADY_SENT;
  }

  #check(
    context: Asked,
    path: string,
    { check, group }: { readonly check: Check; readonly group: string },
  ): Response {
    const node = this.#parts.look?.(group) ?? 'starting';
    const refusal = refusalAt(check, node);
    const ok = refusal === null;
    if (typeof node === 'string') {
      const about = { v: 1, ok, check, group, reason: ABSENCES[node] };
      return this.say(context, ok ? 200 : 503, about, path);
    }
    const { id, role, phase, epoch, primary, health } = node;
    const said = { node: id, role, phase, epoch, primary, health };
    const reason = refusal ?? node.reason;
    return this.say(context, ok ? 200 : 503, { v: 1, ok, check, group, ...said, reason }, path);
  }

  /** Which group is meant goes without saying where there is one. */
  #checkOfOne(context: Asked, path: string, check: Check): Response {
    const groups = this.#parts.groups.list();
    const [group, other] = groups;
    if (group !== undefined && other === undefined) {
      return this.#check(context, path, { check, group });
    }
    const fact = `Cannot tell which group is meant: there are ${String(groups.length)} groups here`;
    const hint = `Request /groups/NAME/${check} for one group; /groups lists all.`;
    return this.say(context, 400, failureBody(fact, hint), path);
  }

  async #answerOfAll(check: CheckOfAll): Promise<ProcessAnswer> {
    // After a stop of the whole process the timers that came due have their turn first.
    await wait(0);
    const { look, groups, isEnding } = this.#parts;
    const sights = groups.list().map((group) => [group, look?.(group) ?? 'starting'] as const);
    return processAnswer(check, { isEnding: isEnding?.() ?? false, sights });
  }

  async #change(
    context: Asked,
    path: string,
    { change, group }: { readonly change: Change; readonly group: string },
  ): Promise<Response> {
    const denial = this.#parts.access.denies({
      header: (name) => context.req.header(name),
      address: context.env.incoming?.socket.remoteAddress ?? '',
    });
    if (denial !== null) {
      for (const [name, value] of Object.entries(denial.headers)) context.header(name, value);
      return this.say(context, denial.status, denial.body, path);
    }
    const body = await readBody(context.req.raw, BODY_LIMIT_BYTES);
    if (body === null) {
      const fact = `The body has more than ${String(BODY_LIMIT_BYTES)} bytes`;
      return this.refuse(context, 413, fact, path);
    }
    const order = readOrder(change, body);
    if (typeof order === 'string') return this.refuse(context, 400, order, path);
    if (this.#changes >= MOST_CHANGES) {
      context.header('Retry-After', '5');
      return this.refuse(context, 503, 'Too many changes are in progress', path);
    }
    if (!this.#parts.groups.list().includes(group)) {
      // A new file has taken it away while the body came.
      return this.refuse(context, 404, 'That group no longer exists here', path);
    }
    this.#changes += 1;
    try {
      const { said, notes } = await this.#parts.groups.change(group, order);
      return this.say(context, 200, { v: 1, ok: true, group, change, said, notes }, path);
    } finally {
      this.#changes -= 1;
    }
  }

  tellMethods(context: Asked, route: Route | null): Response {
    context.header('Allow', allowed(route));
    return context.body(null, 204);
  }

  refuseMethod(context: Asked, route: Pick<Route, 'path' | 'method'>): Response {
    context.header('Allow', allowed(route));
    return this.refuse(context, 405, `${context.req.method} is not allowed here`, route.path);
  }

  nothing(context: Asked): Response {
    const paths = this.#paths.join(', ');
    return this.refuse(context, 404, `Not found; available paths: ${paths}`);
  }

  refuse(context: Asked, status: RefusalStatus, error: string, path = OTHER): Response {
    return this.say(context, status, failureBody(error), path);
  }

  /** On a line of its own, also on the terminal of whoever asks with curl. */
  say(context: Context, status: SaidStatus, value: object, path = OTHER): Response {
    this.#parts.onAnswer(path, status);
    const type = { 'content-type': 'application/json' };
    return context.body(`${JSON.stringify(value)}\n`, status, type);
  }
}

const MOST_LARGE_ANSWERS = 8;

/** Looking at a thousand groups takes some seconds of it. */
const LARGE_ANSWER_LIMIT_MS = 30_000;

type RefusalStatus = 400 | 403 | 404 | 405 | 413 | 421 | 503;
type SaidStatus = RefusalStatus | 200 | 401 | 409 | 415 | 429 | 500 | 502 | 504;

/** Those of the page: all of them count as one path. */
const FILES = { path: '/assets', method: 'get' } as const;

/** What is counted for a path that is none of the table. */
const OTHER = 'other';

function allowed(route: Pick<Route, 'method'> | null): string {
  return route?.method === 'post' ? 'OPTIONS, POST' : 'GET, HEAD, OPTIONS';
}

/** Paths without a group are there only where there is one. */
function named(group: string | null): string {
  if (group === null) throw new Error('the path has no group');
  return group;
}

/** With or without a port. Names may be anybody's, who can have them lead to 127.0.0.1; addresses can't. */
function isOfThisMachine(host: string): boolean {
  const [, bracketed, plain = ''] = /^(?:\[(.*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return plain.toLowerCase() === 'localhost' || isIP(plain) === 4;
}
