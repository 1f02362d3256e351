// How much is tried, from which seed, and the cases that were interesting once.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FailoverError } from '../../../src/errors.ts';

/** The same draws each time; others by FUZZ_SEED, more by FUZZ_RUNS. */
export function draws(runs: number): { numRuns: number; seed: number } {
  return {
    numRuns: Number(process.env['FUZZ_RUNS'] ?? runs),
    seed: Number(process.env['FUZZ_SEED'] ?? 20_261_121),
  };
}

export interface Case {
  /** What it shows. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly text: string;
}

/** The files of one folder of `test/fuzz/corpus`, each named for what it shows. */
export function corpus(folder: string): readonly Case[] {
  const directory = join(import.meta.dirname, '..', 'corpus', folder);
  return readdirSync(directory)
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(directory, name));
      return { name, bytes, text: bytes.toString('utf8') };
    });
}

/** What a call gives: its value, or the error that a user would read. Any other error is a crash. */
export function outcomeOf<T>(call: () => T): { value: T } | { error: FailoverError } {
  try {
    return { value: call() };
  } catch (error) {
    if (!(error instanceof FailoverError)) throw error;
    expectReadable(error);
    return { error };
  }
}

/** An error is a sentence and a hint: neither a stack trace, nor all that somebody has sent. */
export function expectReadable({ message, hint }: FailoverError): void {
  expect(message).not.toMatch(/\n\s+at .+:\d+/);
  expect(message.length).toBeLessThan(MESSAGE_LIMIT);
  expect(hint).not.toBe('');
  expect(hint.length).toBeLessThan(MESSAGE_LIMIT);
}

/** No object was given a property by what was read. */
export function expectPrototypesClean(): void {
  const fresh: object = {};
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect('polluted' in fresh).toBe(false);
}

/** Every outcome there is came up, which a few draws can not promise; no other did. */
export function expectSeen(seen: ReadonlySet<string>, all: readonly string[]): void {
  if (Number(process.env['FUZZ_RUNS'] ?? Infinity) < 1000)
    expect(all).toEqual(expect.arrayContaining([...seen]));
  else expect([...seen].sort()).toEqual([...all].sort());
}

const MESSAGE_LIMIT = 4096;

/** What steers a terminal, or makes a reader see another text than there is; a line's end aside. */
export const UNPRINTABLE = /[^\P{Cc}\n]|\p{Cf}|[\u2028\u2029]/u;
