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

/** Milliseconds for people: `8.1 ms`, `340 ms`, `1m32s`, `4d 3h`. */
export function humanMs(durationMs: number): string {
  if (durationMs < 10) return `${String(Math.round(durationMs * 10) / 10)} ms`;
  if (durationMs < 1000) return `${String(Math.round(durationMs))} ms`;
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 60) return `${(Math.floor(durationMs / 100) / 10).toFixed(1)} s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (minutes < 60) return `${String(minutes)}m ${String(seconds % 60)}s`;
  if (hours < 24) return `${String(hours)}h ${String(minutes % 60)}m`;
  return `${String(Math.floor(hours / 24))}d ${String(hours % 24)}h`;
}
