// What an error says, for a sentence of ours.

/** The first line of its message; empty when it has none. */
export function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return textOf(error.errors[0]);
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
  return (
    message
      .split('\n', 1)[0]
      ?.slice(0, TEXT_LIMIT)
      .replaceAll(/\p{Cc}+/gu, ' ') ?? ''
  );
}

/** A server may be anything that listens there. */
const TEXT_LIMIT = 200;
