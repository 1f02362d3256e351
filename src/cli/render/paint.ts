// The few colours there are, by meaning.
import { Chalk } from 'chalk';
import type { ColorLevel } from './color.ts';

/** Text in, text with a meaning's colour out. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

export function createPaint(level: ColorLevel): Paint {
  const chalk = new Chalk({ level });
  return {
    good: chalk.green,
    warn: chalk.yellow,
    bad: chalk.red,
    strong: chalk.bold,
    faint: chalk.dim,
  };
}
