// Where the output of what we start goes: inherited, or passed through us when it has to be read.
import type { Readable, Writable } from 'node:stream';
import type { LineMatcher } from './line-matcher.ts';

/** Something with output that may come through us. */
export interface OutputSource {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

export interface OutputSink {
  /**
   * `inherit`: children write to our descriptors and we see nothing. `pipe`: all of them, hooks too,
   * write to us, because a child that inherits a pipe switches it to blocking for us as well.
   */
  readonly mode: 'inherit' | 'pipe';
  /** Starts to pass on what `source` writes, byte for byte, no faster than the reader takes it. */
  pass(source: OutputSource): void;
}

/** Where piped output goes. */
export interface OutputTargets {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** @param targets Where piped output goes to; null: nothing has to be read, so it is inherited. */
export function outputSink(targets: OutputTargets | null): OutputSink {
  if (targets === null) return { mode: 'inherit', pass: () => undefined };
  return {
    mode: 'pipe',
    pass: (source) => {
      pass(source.stdout, targets.stdout);
      pass(source.stderr, targets.stderr);
    },
  };
}

/** Shows a matcher every chunk on its way, until it has matched. */
export function watchOutput(source: OutputSource, matchers: readonly LineMatcher[]): () => void {
  const unwatch = [source.stdout, source.stderr].map((stream, index) => {
    const matcher = matchers[index];
    const look = (chunk: Buffer): void => {
      matcher?.push(chunk);
    };
    // The stream flows as the pipe beside it drains: this listener adds no demand of its own.
    stream?.on('data', look);
    return () => stream?.off('data', look);
  });
  return () => {
    for (const end of unwatch) end();
  };
}

function pass(from: Readable | null, to: Writable): void {
  if (from === null) return;
  // A reader that went away (`| head`): the writer gets what it would get from its own pipe.
  const stop = (): void => {
    from.destroy();
  };
  to.once('error', stop);
  from.once('close', () => to.off('error', stop));
  from.on('error', () => undefined);
  from.pipe(to, { end: false });
}
