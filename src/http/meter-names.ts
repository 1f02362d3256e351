// What a measure is called, and what is said of it.
export function named(
  name: string,
  help: string,
): { readonly name: string; readonly help: string } {
  return { name: `failover_${name}`, help };
}
