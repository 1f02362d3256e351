// The same small program in each framework: the middleware, what reads JSON, and a route that tells what it got.
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import middie from '@fastify/middie';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { leaderFetchMiddleware } from '../../../src/library/leader-fetch-middleware.ts';
import { leaderMiddleware } from '../../../src/library/leader-middleware.ts';
import type { LeaderProvider } from '../../../src/library/leader-provider.ts';
import { serve } from './http-servers.ts';

export interface AppOptions {
  readonly name: string;
  readonly mode: 'redirect' | 'proxy';
  /** Bodies are read before the middleware gets the request: not as it is meant. */
  readonly readsFirst: boolean;
}

export interface Framework {
  readonly framework: string;
  /** Begins to serve on a free port of this machine, until the test is over, and says where. */
  readonly start: (leader: LeaderProvider, options: AppOptions) => Promise<string>;
}

const IN_HONO: Framework = { framework: 'Hono', start: honoApp };

/** There the middleware gets the request and the response of node:http. */
export const NODE_FRAMEWORKS: readonly Framework[] = [
  { framework: 'Express', start: expressApp },
  { framework: 'Fastify, by a hook', start: hookedFastify },
  { framework: 'Fastify with @fastify/middie', start: fastifyWithMiddie },
  { framework: 'Hono behind a server of node:http', start: honoBehind },
];

export const FRAMEWORKS: readonly Framework[] = [...NODE_FRAMEWORKS, IN_HONO];

async function expressApp(leader: LeaderProvider, options: AppOptions): Promise<string> {
  const { name, mode, readsFirst } = options;
  const app = express();
  if (readsFirst) app.use(express.json());
  app.use(leaderMiddleware(leader, { mode }));
  if (!readsFirst) app.use(express.json());
  app.use((request, response) => {
    const { method, originalUrl: url, headers } = request;
    // Of any type.
    const body: unknown = request.body;
    response.json({ by: name, method, url, body, client: clientIn(headers) });
  });
  return (await serve(app)).url;
}

function hookedFastify(leader: LeaderProvider, options: AppOptions): Promise<string> {
  const app = fastifyThatTells(options);
  const toLeader = leaderMiddleware(leader, { mode: options.mode });
  const hook = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    toLeader(request.raw, reply.raw, done);
  };
  if (options.readsFirst) app.addHook('preHandler', hook);
  else app.addHook('onRequest', hook);
  return app.listen({ port: 0, host: '127.0.0.1' });
}

async function fastifyWithMiddie(leader: LeaderProvider, options: AppOptions): Promise<string> {
  const app = fastifyThatTells(options);
  await app.register(middie, { hook: options.readsFirst ? 'preHandler' : 'onRequest' });
  app.use(leaderMiddleware(leader, { mode: options.mode }));
  return app.listen({ port: 0, host: '127.0.0.1' });
}

function fastifyThatTells({ name }: AppOptions): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  // Those of a plugin get the hooks that are added before the app is ready.
  app.register((routes, _, done) => {
    routes.all('/*', ({ method, url, body, headers }) => {
      return { by: name, method, url, body, client: clientIn(headers) };
    });
    done();
  });
  return app;
}

async function honoApp(leader: LeaderProvider, options: AppOptions): Promise<string> {
  const app = new Hono();
  if (options.readsFirst) {
    app.use(async (context, next) => {
      await context.req.text();
      await next();
    });
  }
  const toLeader = leaderFetchMiddleware(leader, { mode: options.mode });
  app.use((context, next) =>
    toLeader(context.req.raw, async () => {
      await next();
      return context.res;
    }),
  );
  tell(app, options);
  const toApp = getRequestListener(app.fetch);
  return (await serve((request, response) => void toApp(request, response))).url;
}

async function honoBehind(leader: LeaderProvider, options: AppOptions): Promise<string> {
  const app = new Hono();
  tell(app, options);
  const toApp = getRequestListener(app.fetch);
  const toLeader = leaderMiddleware(leader, { mode: options.mode });
  const handle: RequestListener = (request, response) => {
    toLeader(request, response, () => void toApp(request, response));
  };
  const server = await serve((request, response) => {
    if (options.readsFirst) request.resume().on('end', handle.bind(null, request, response));
    else handle(request, response);
  });
  return server.url;
}

function tell(app: Hono, { name }: AppOptions): void {
  app.all('*', async (context) => {
    const { req } = context;
    const { pathname, search } = new URL(req.url);
    // Of any type.
    const body: unknown = req.header('content-type') === undefined ? null : await req.json();
    const url = pathname + search;
    const client = req.header('x-forwarded-for') ?? null;
    return context.json({ by: name, method: req.method, url, body, client });
  });
}

/** Who is told of as the client, by whoever has handed the request on. */
function clientIn(headers: IncomingHttpHeaders): string | null {
  return headers['x-forwarded-for']?.toString() ?? null;
}
