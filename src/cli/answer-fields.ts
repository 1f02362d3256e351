// What an answer of a node says, which may be of any version, or of something else.

export function fieldOf(answer: unknown, name: string): unknown {
  if (typeof answer !== 'object' || answer === null) return null;
  // An object without a known shape is a map of unknown values.
  return (answer as Readonly<Record<string, unknown>>)[name] ?? null;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'it does not say why';
}
