// What a test needs of the machine, which may lack it: tests are skipped then, and say why.

/**
 * Null: nothing is lacking.
 *
 * @throws where FAILOVER_TEST_REQUIRES has its name: what has to be tried is not skipped
 */
export function lackOf(name: string, isThere: boolean, why: string): string | null {
  if (isThere) return null;
  const reason = `skipped: ${why}`;
  if (process.env['FAILOVER_TEST_REQUIRES']?.includes(name) === true) throw new Error(reason);
  return reason;
}
