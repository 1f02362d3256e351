// The id of a part of this program that was given none: two of one process would otherwise have the same.
import { hostname } from 'node:os';
import { defaultNodeId } from '../config/names.ts';

let count = 0;

export function ownNodeId(): string {
  count += 1;
  const { pid } = process;
  if (count === 1) return defaultNodeId({ hostname: hostname(), pid });
  const host = hostname().slice(0, MAX_HOST_LENGTH);
  return `${defaultNodeId({ hostname: host, pid })}-${String(count)}`;
}

/** Leaves room for two numbers in an id of at most 64 characters. */
const MAX_HOST_LENGTH = 40;
