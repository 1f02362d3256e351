// The lines that a node writes about itself.
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/cli/render/log.ts';
import { LOG_FIELDS } from '../../../src/cli/render/log-events.ts';
import type { Logger, LoggerOptions } from '../../../src/cli/render/log.ts';

describe('pretty lines', () => {
  it('have the time of day, the node, its role and what happened', () => {
    const { log, lines } = logger({ format: 'pretty' });
    log.info({ event: 'joined', reason: 'Joined group web' });
    log.info({
      event: 'transition',
      role: 'primary',
      epoch: 7,
      reason: 'This node is now primary: epoch 7',
    });
    log.warn({ event: 'warning', reason: 'the disk is full' });
    log.error({ event: 'warning', reason: 'no way' });
    expect(lines).toEqual([
      '12:03:04.123 b  starting   Joined group web\n',
      '12:03:04.123 b  primary    This node is now primary: epoch 7\n',
      '12:03:04.123 b  primary    warning: the disk is full\n',
      '12:03:04.123 b  primary    error: no way\n',
    ]);
  });

  it('are coloured when the level says so', () => {
    const { log, lines } = logger({ format: 'pretty', level: 1 });
    log.warn({ event: 'warning', reason: 'x' });
    expect(lines[0]).toContain('\u001B[33mwarning:\u001B[39m x');
  });

  it('leave out a detail that the line before had', () => {
    const { log, lines } = logger({ format: 'pretty' });
    for (const reason of ['Stop requested: SIGTERM', 'Stepped down: SIGTERM', 'Ended: x', 'y: x']) {
      log.info({ event: 'joined', reason });
    }
    const said = lines.map((line) => line.replace(/.*starting +/, '').trim());
    expect(said).toEqual(['Stop requested: SIGTERM', 'Stepped down', 'Ended: x', 'y']);
  });

  it('stay one line each, whatever they carry', () => {
    const { log, lines } = logger({ format: 'pretty' });
    log.info({ event: 'joined', reason: 'one\ntwo\u001B[2J' });
    expect(lines[0]).toMatch(/one two \[2J\n$/);
  });
});

describe('JSON lines', () => {
  it('repeat what they have to', () => {
    const { log, lines } = logger({ format: 'json' });
    log.info({ event: 'joined', reason: 'Stop requested: SIGTERM' });
    log.info({ event: 'joined', reason: 'Stepped down: SIGTERM' });
    expect(lines[1]).toContain('Stepped down: SIGTERM');
  });

  it('have the stable fields first, then what else there is, and the sentence last', () => {
    const { log, lines } = logger({ format: 'json' });
    log.info({
      event: 'transition',
      role: 'primary',
      epoch: 7,
      reason: 'This node is now primary',
      from: 'x',
    });
    log.warn({ event: 'warning', reason: 'full' });
    expect(lines[0]).toBe(
      `{"level":"info","time":"${NOW.toISOString()}","group":"web","node":"b","role":"primary",` +
        '"epoch":7,"event":"transition","from":"x","reason":"This node is now primary"}\n',
    );
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'warn', role: 'primary', epoch: 7 });
  });

  it('have no colours and no stable field replaced', () => {
    const { log, lines } = logger({ format: 'json', level: 1 });
    log.info({ event: 'joined', reason: 'y', level: 'fatal', group: 'other' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', group: 'web', role: null });
    expect(lines[0]).not.toContain('\u001B');
    expect(lines[0]?.match(/"group"/g)).toHaveLength(1);
  });

  it('have the fields that the manual names, whatever they carry', () => {
    const { log, lines } = logger({ format: 'json' });
    log.error({ event: 'exit', reason: 'two\nlines "quoted" \u2028', exitCode: 3, err: undefined });
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(Object.keys(line).filter((key) => key !== 'exitCode')).toEqual(Object.keys(LOG_FIELDS));
    expect(line).toMatchObject({ exitCode: 3, reason: 'two\nlines "quoted" \u2028' });
    expect(lines[0]?.split('\n')).toHaveLength(2);
  });
});

it('tells when it happened, if that was not now', () => {
  const { log, lines } = logger({ format: 'json' });
  log.info({ event: 'joined', reason: 'y', time: new Date(5) });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ time: '1970-01-01T00:00:00.005Z' });
});

it('quiet leaves out what is neither warning nor error', () => {
  const { log, lines } = logger({ format: 'pretty', quiet: true });
  log.info({ event: 'joined', role: 'primary', reason: 'y' });
  log.warn({ event: 'joined', reason: 'z' });
  expect(lines).toEqual(['12:03:04.123 b  primary    warning: z\n']);
});

const NOW = new Date(2026, 2, 1, 12, 3, 4, 123);

function logger(options: Pick<LoggerOptions, 'format'> & Partial<LoggerOptions>): {
  log: Logger;
  lines: string[];
} {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  const common = {
    quiet: false,
    stream,
    node: 'b',
    group: 'web',
    now: () => NOW,
    level: 0,
  } as const;
  return { log: createLogger({ ...common, ...options }), lines };
}
