// Options as a program gives them: `undefined` and `null` stand for what was left out.

/** Without them: what is spread over defaults leaves those alone. */
export function onlyGiven<Options extends object>(
  options: Options,
): { readonly [Key in keyof Options]?: NonNullable<Options[Key]> } {
  const given = Object.entries(options).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  // The entries of the same object, and none of them is nothing.
  return Object.fromEntries(given) as { [Key in keyof Options]?: NonNullable<Options[Key]> };
}
