// What `/openapi.json` says is valid OpenAPI 3.1, and is what the server answers.
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import { openApiOf } from '../../src/http/openapi.ts';
import { routesOf } from '../../src/http/routes.ts';
import { SCHEMAS } from '../../src/http/schemas.ts';
import { readPage } from '../docs/support/pages.ts';
import { healthyGroup } from '../cli/support/snapshot.ts';
import { transitionTo } from './support/groups.ts';

const OF_RUN = { hasOnlyOne: true, hasNodes: true, hasMetrics: true };
const OF_UP = { hasOnlyOne: false, hasNodes: true, hasMetrics: true };
const OF_DASHBOARD = { hasOnlyOne: false, hasNodes: false, hasMetrics: false };

describe.each([
  ['a node', OF_RUN],
  ['a process of several groups', OF_UP],
  ['a dashboard', OF_DASHBOARD],
])('the description of %s', (_, places) => {
  it('is valid, also to who knows the specification and not us', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(openApiOf(routesOf(places))));
    expect(result).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('names each path once, and only schemas that there are', () => {
    const routes = routesOf(places);
    const keys = routes.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(keys).size).toBe(keys.length);
    const text = JSON.stringify(openApiOf(routes));
    const named = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect([...new Set(named)].filter((name) => !Object.hasOwn(SCHEMAS, name ?? ''))).toEqual([]);
  });
});

describe('the schemas', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const components = { components: { schemas: SCHEMAS } };
  const faultsOf = (name: string, value: unknown): unknown => {
    const validate = ajv.compile({ ...components, $ref: `#/components/schemas/${name}` });
    return validate(value) ? null : validate.errors;
  };

  it('are those of what is answered, with every field of it', () => {
    const status = groupStatusOf(healthyGroup());
    expect(faultsOf('GroupStatus', status)).toBeNull();
    const described = (name: string): readonly string[] =>
      Object.keys((SCHEMAS[name] as { properties: object }).properties).sort();
    expect(described('GroupStatus')).toEqual(Object.keys(status).sort());
    expect(described('Node')).toEqual(Object.keys(status.nodes[0] ?? {}).sort());
    const { data } = transitionTo('serving');
    expect(faultsOf('Transition', data)).toBeNull();
    expect(described('Transition')).toEqual(Object.keys(data).sort());
  });

  it('refuse what is not', () => {
    const { epoch, ...status } = groupStatusOf(healthyGroup());
    expect(faultsOf('GroupStatus', status)).not.toBeNull();
    expect(faultsOf('GroupStatus', { ...status, epoch: String(epoch) })).not.toBeNull();
  });
});

it('has each path on the page on them, and the page no other', () => {
  const page = readPage('docs/http.md').text;
  const told = [...page.matchAll(/^\| `(?:GET|POST) (\/\S*)`/gm)].map(([, path]) => path).sort();
  const paths = [...routesOf(OF_RUN), ...routesOf(OF_DASHBOARD)].map(({ path }) => path);
  const short = paths.map((path) => path.replace('/groups/{group}/', '/'));
  expect(told).toEqual([...new Set(short)].sort());
});
