// How the commands speak: a line on stdout for what they did, one on stderr for what else to know.
import { printable } from './render/plain.ts';

export function say(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

export function note(text: string): void {
  process.stderr.write(`failover: ${printable(text)}\n`);
}
