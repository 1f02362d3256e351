// The table of options: names that don't collide, defaults within their own limits.
import { describe, expect, it } from 'vitest';
import { OPTIONS, OUTPUT_VARIABLES, optionOf } from '../../src/config/options.ts';
import { loadRunOptions } from '../../src/config/load.ts';

describe('the table of options', () => {
  it('has each key, flag, short flag and variable once', () => {
    for (const name of ['key', 'flag', 'short', 'variable'] as const) {
      const names = OPTIONS.map((option) => option[name]).filter((text) => text !== undefined);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it.each(OPTIONS)(
    '$flag is described by a sentence, and a placeholder where it takes a value',
    (option) => {
      expect(option.sentence).toMatch(/^[A-Za-z].*\.$/);
      expect(option.placeholder === undefined).toBe(option.kind === 'boolean');
      expect(option.choices === undefined).toBe(option.kind !== 'enum');
      expect(option.flag).toMatch(/^--[a-z]+(-[a-z]+)*$/);
      expect(option.variable).toMatch(/^FAILOVER_[A-Z]+(_[A-Z]+)*$/);
    },
  );

  it.each(OPTIONS.filter((option) => option.default !== null))(
    '$flag takes its own default when it is given',
    (option) => {
      const command = ['true'];
      const given = loadRunOptions({ flags: { [option.key]: option.default }, env: {}, command });
      expect(given).toEqual(loadRunOptions({ flags: {}, env: {}, command }));
    },
  );

  it('reads no variable that a workload is told its role by', () => {
    for (const option of OPTIONS) {
      if (option.variableReadBy === 'nobody') continue;
      expect(OUTPUT_VARIABLES).not.toContain(option.variable);
    }
  });

  it('derives flag and variable from the key', () => {
    expect(optionOf('heartbeatInterval')).toMatchObject({
      flag: '--heartbeat-interval',
      variable: 'FAILOVER_HEARTBEAT_INTERVAL',
    });
  });

  it('asserts that a key exists', () => {
    expect(() => optionOf('nothing')).toThrow('no option has the key nothing');
  });
});
