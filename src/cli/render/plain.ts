// Output without colours, and text of others made safe to print: neither needs chalk.
import type { ColorLevel } from './color.ts';
import type { Paint } from './paint.ts';

const same = (text: string): string => text;

export const PLAIN: Paint = { good: same, warn: same, bad: same, strong: same, faint: same };

/** The paint for a level; chalk is loaded only for one that has colours. */
export async function paintFor(level: ColorLevel): Promise<Paint> {
  if (level === 0) return PLAIN;
  const { createPaint } = await import('./paint.ts');
  return createPaint(level);
}

/** A text of another process on one line, without what could steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}
