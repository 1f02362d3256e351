// `/openapi.json`: the table of paths in the form of OpenAPI 3.1.
import { packageVersion } from '../version.ts';
import { orderSchema } from './order.ts';
import type { Answer, Route } from './routes.ts';
import { SCHEMAS } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

export function openApiOf(routes: readonly Route[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'failover',
      version: packageVersion(),
      description: 'Groups of nodes, one of which is active: view, follow and change them.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(
      routes.map((route) => [route.path, { [route.method]: operationOf(route) }]),
    ),
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(route: Route): Json {
  const { path, task, summary, method, answers } = route;
  const parameters = [
    ...(path.includes('{group}') ? [GROUP] : []),
    ...(task.kind === 'events' ? [LAST_EVENT, AFTER] : []),
  ];
  return {
    operationId: operationIdOf(path, method),
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(task.kind === 'change'
      ? {
          security: [{ token: [] }],
          requestBody: {
            required: true,
            content: { 'application/json': { schema: orderSchema(task.change) } },
          },
        }
      : {}),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)]),
    ),
  };
}

function responseOf({ about, schema, type }: Answer): Json {
  const content = schema === null ? {} : { schema: { $ref: `#/components/schemas/${schema}` } };
  return { description: about, content: { [type]: content } };
}

/** `/groups/{group}/promote` by POST is `postGroupsGroupPromote`. */
function operationIdOf(path: string, method: string): string {
  const words = path.split(/[^a-z]+/i).filter((word) => word !== '');
  const named = words.length === 0 ? ['root'] : words;
  return [method, ...named.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
}

const GROUP = {
  ...{ name: 'group', in: 'path', required: true },
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
};

const LAST_EVENT = {
  ...{ name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
  description: 'The last event received; events since then come first.',
};

const AFTER = {
  ...{ name: 'after', in: 'query', schema: { type: 'string' } },
  description: 'The same; `after=0` returns all retained events.',
};
