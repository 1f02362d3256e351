// Runs a script in the server, by its hash where the server has it already.
import { textOf } from '../error-text.ts';
import type { RedisConnection } from './redis-client.ts';

export interface Script {
  readonly text: string;
  /**
   * The hash by which the server knows it, for what is asked all the time; null: it is sent as a whole, so that it
   * is done also where no answer comes back.
   */
  readonly sha1: string | null;
}

/** Gives what it returned. */
export async function runScript(
  connection: RedisConnection,
  { text, sha1 }: Script,
  { keys, args }: { readonly keys: readonly string[]; readonly args: readonly string[] },
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args];
  if (sha1 === null) return connection.sendCommand(['EVAL', text, ...rest]);
  try {
    return await connection.sendCommand(['EVALSHA', sha1, ...rest]);
  } catch (error) {
    if (!textOf(error).startsWith('NOSCRIPT')) throw error;
    return await connection.sendCommand(['EVAL', text, ...rest]);
  }
}
