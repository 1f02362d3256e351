// Finds the scenarios of the core.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, '..', 'scenarios');

export interface ScenarioFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

export function scenarioFiles(): readonly ScenarioFile[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => {
      const path = join(directory, name);
      return { name, path, text: readFileSync(path, 'utf8') };
    });
}
