// Replays every scenario and compares it with what is written down; UPDATE_SCENARIOS=1 writes it anew.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseScenarios, replay } from '../support/core-replay.ts';
import { scenarioFiles } from '../support/core-scenario-files.ts';

// Not `describe.each` and `it.each`, which cut long titles: each transcript can be asked for by its own.
for (const { name, path, text } of scenarioFiles()) {
  describe(name, () => {
    const scenarios = parseScenarios(text);

    if (process.env['UPDATE_SCENARIOS'] === '1') {
      const head = text.slice(0, text.indexOf('== '));
      const replayed = scenarios.map((scenario) => `${replay(scenario).text}\n`);
      writeFileSync(path, `${head}${replayed.join('\n')}`);
      it('is written anew', () => {
        expect(replayed).not.toEqual([]);
      });
      return;
    }

    for (const scenario of scenarios) {
      it(scenario.title, () => {
        expect(replay(scenario).text).toBe(scenario.text);
      });
    }
  });
}
