// The paths of a node: each check of `node-checks.ts` as 200 or 503, for whatever asks over HTTP.
import { isIP } from 'node:net';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { CHECKS, refusalOf } from './node-checks.ts';
import type { Check, NodeSight } from './node-checks.ts';

export interface NodeAppParts {
  readonly group: string;
  /** Null: the node is only starting. */
  readonly look: () => NodeSight | null;
  readonly metrics: () => Promise<string>;
  /** Of the metrics. */
  readonly metricsType: string;
  /** Only this machine reaches it: then a request for any other name was made by a page of that name in a browser. */
  readonly isLocal: () => boolean;
}

/** Answers GET, HEAD and OPTIONS: HAProxy asks with the last where it was told nothing else. */
export function nodeApp({ group, look, metrics, metricsType, isLocal }: NodeAppParts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    const host = context.req.header('host');
    if (isLocal() && host !== undefined && !isOfThisMachine(host)) {
      return say(context, 421, { error: `${host} is not this machine: ask for 127.0.0.1` });
    }
    return next();
  });
  app.on(METHODS, '/', (context) => say(context, 200, { v: 1, group, paths: PATHS }));
  for (const check of CHECKS) {
    app.on(METHODS, `/${check}`, (context) => answer(context, check, { group, node: look() }));
  }
  app.on(METHODS, '/metrics', async (context) =>
    context.body(await metrics(), 200, { 'content-type': metricsType }),
  );
  for (const path of ['/', ...PATHS]) {
    app.all(path, (context) => {
      context.header('Allow', 'GET, HEAD, OPTIONS');
      return say(context, 405, { error: `${context.req.method} is not answered here` });
    });
  }
  app.onError((error, context) => say(context, 503, { error: error.message }));
  app.notFound((context) =>
    say(context, 404, { error: `There is nothing here; ask for one of ${PATHS.join(', ')}` }),
  );
  return app;
}

const METHODS = ['GET', 'OPTIONS'];

const PATHS = [...CHECKS.map((check) => `/${check}`), '/metrics'];

function answer(
  context: Context,
  check: Check,
  { group, node }: { readonly group: string; readonly node: NodeSight | null },
): Response {
  if (node === null) {
    // It may wait for a server, or for its id, for as long as it takes: who starts it again makes that longer.
    const ok = check === 'liveness';
    const about = { v: 1, ok, check, group, reason: 'the node is starting' };
    return say(context, ok ? 200 : 503, about);
  }
  const refusal = refusalOf(check, node);
  const { id, role, phase, epoch, primary, health } = node;
  const said = { node: id, role, phase, epoch, primary, health };
  const reason = refusal ?? node.reason;
  const about = { v: 1, ok: refusal === null, check, group, ...said, reason };
  return say(context, refusal === null ? 200 : 503, about);
}

/** On a line of its own, also on the terminal of whoever asks with curl. */
function say(context: Context, status: 200 | 404 | 405 | 421 | 503, value: object): Response {
  const type = { 'content-type': 'application/json' };
  return context.body(`${JSON.stringify(value)}\n`, status, type);
}

/** With or without a port. Names may be anybody's, who can have them lead to 127.0.0.1; addresses can't. */
function isOfThisMachine(host: string): boolean {
  const [, bracketed, plain = ''] = /^(?:\[(.*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return plain.toLowerCase() === 'localhost' || isIP(plain) === 4;
}
