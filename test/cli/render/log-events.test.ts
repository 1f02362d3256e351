// What is logged is what the manual says: each event is in the table, and none that nobody writes.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOG_EVENTS, LOG_FIELDS } from '../../../src/cli/render/log-events.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The source of the command line, where alone lines of the log are made. */
const SOURCE = readdirSync(join(ROOT, 'src', 'cli'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('log-events.ts'))
  .map((name) => readFileSync(join(ROOT, 'src', 'cli', name), 'utf8'))
  .join('\n');

it.each(Object.keys(LOG_EVENTS))('%s is written somewhere', (event) => {
  expect(SOURCE).toMatch(new RegExp(`(event: |summaryEntry\\()'${event}'`));
});

it('has every event that is written', () => {
  const written = [...SOURCE.matchAll(/\.(?:info|warn|error)\(\{\s*event: '([\w-]+)'/g)].map(
    ([, event]) => event,
  );
  expect(written.length).toBeGreaterThan(8);
  expect(written.filter((event) => !Object.hasOwn(LOG_EVENTS, event ?? ''))).toEqual([]);
});

it('names no field twice', () => {
  for (const { fields } of Object.values(LOG_EVENTS)) {
    expect(Object.keys(fields).filter((name) => Object.hasOwn(LOG_FIELDS, name))).toEqual([]);
  }
});
