// The file of one acquisition: its holder changes it with each renewal, and in the end says that it is free.
import { open } from 'node:fs/promises';
import { padded } from '../file/durable-file.ts';
import { errnoOf } from '../file/storage-error.ts';

/** Bytes: each state takes the same room, so that a full disk keeps nobody from renewing, or giving back. */
const SIZE = 64;
const FREE = 'free';

export function firstBeat(): string {
  return textOf('beat 0');
}

/** Whether it was given back, by what was read of it. */
export function isFree(content: string): boolean {
  return content.startsWith(FREE);
}

/** False: there is none, or it was given back. `number`: another one each time. */
export async function renewBeat(path: string, number: number): Promise<boolean> {
  return write(path, `beat ${String(number)}`);
}

/** Says that nothing of the acquisition runs any more. False: it was said before, or there is none. */
export async function freeBeat(path: string): Promise<boolean> {
  return write(path, FREE);
}

async function write(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'r+');
    try {
      const content = Buffer.alloc(SIZE);
      const { bytesRead } = await file.read(content, 0, SIZE, 0);
      if (isFree(content.toString('utf8', 0, bytesRead))) return false;
      await file.write(padded(text, SIZE), 0, SIZE, 0);
      return true;
    } finally {
      // A network file system sends what was written with this at the latest, and says what became of it.
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function textOf(text: string): string {
  return padded(text, SIZE).toString();
}
