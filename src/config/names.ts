// Names of groups and nodes: they become file names, topics and environment variables.
import { FailoverError } from '../errors.ts';

/** The longest name of a group or node, in characters. */
const MAX_NAME_LENGTH = 64;

/**
 * The name of a group, unchanged.
 *
 * @param source What it was given as (a flag, a variable), named by the error.
 * @throws FAILOVER_BAD_GROUP when it is not 1 to 64 of `A-Z a-z 0-9 . _ -`, or is `.` or `..`.
 */
export function validateGroup(text: string, source = '--group'): string {
  const fact = faultOfName(text);
  if (fact === null) return text;
  throw new FailoverError('FAILOVER_BAD_GROUP', `Cannot use ${source} ${quote(text)}: ${fact}`);
}

/**
 * The id of a node, unchanged.
 *
 * @param source What it was given as (a flag, an argument), named by the error.
 * @throws FAILOVER_BAD_NODE_ID when it is not 1 to 64 of `A-Z a-z 0-9 . _ -`, or is `.` or `..`.
 */
export function validateNodeId(text: string, source = '--node'): string {
  const fact = faultOfName(text);
  if (fact === null) return text;
  throw new FailoverError('FAILOVER_BAD_NODE_ID', `Cannot use ${source} ${quote(text)}: ${fact}`);
}

/** What is wrong with the id of a node; null: nothing. */
export function faultOfNodeId(text: string): string | null {
  return faultOfName(text);
}

/**
 * The id of a node that was given none: `<hostname>-<pid>`, always a valid name. Unique among the
 * living processes of one pid namespace; a long hostname loses its end.
 */
export function defaultNodeId(host: { readonly hostname: string; readonly pid: number }): string {
  const hostname = host.hostname.replaceAll(/[^A-Za-z0-9._-]/g, '-');
  return withSuffix(hostname || 'node', `-${String(host.pid)}`);
}

/** Whether a group or node could have this name. */
export function isGoodName(text: string): boolean {
  return faultOfName(text) === null;
}

/** A name with something behind it: a long one loses its end. */
export function withSuffix(name: string, suffix: string): string {
  return `${name.slice(0, MAX_NAME_LENGTH - suffix.length)}${suffix}`;
}

/** What is wrong with a name, or `null`. */
function faultOfName(text: string): string | null {
  if (text === '') return 'it is empty';
  if (text.length > MAX_NAME_LENGTH) {
    return `it has ${String(text.length)} characters, more than ${String(MAX_NAME_LENGTH)}`;
  }
  if (text === '.' || text === '..') return 'it is a relative path';
  const foreign = /[^A-Za-z0-9._-]/u.exec(text);
  return foreign === null ? null : `it has the character ${JSON.stringify(foreign[0])}`;
}

/** A name for a message: a very long one is cut. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
