// What a deliberate fault is, and what it has to be found by.

/**
 * What a fault breaks: a promise of docs/guarantees.md.
 *
 * - `S1` at most one workload is active
 * - `S2` every start has a higher epoch
 * - `S3` a lease with a time to live is left in time
 * - `S4` there is a primary again within a bound
 * - `S5` nothing is announced before it is so, and a failed promotion leaves nothing behind
 * - `S6` nothing of others is ended, and nothing is orphaned
 * - `proxy` what comes for the primary is held, answered once, or refused by name
 * - `order` who goes before others leads where that was asked for, and nothing flaps
 *
 * @typedef {'S1' | 'S2' | 'S3' | 'S4' | 'S5' | 'S6' | 'proxy' | 'order'} Promise_
 */

/**
 * Tests of one file, by a part of their full name (`describe` titles and their own, with spaces between).
 *
 * @typedef {object} TestCheck
 * @property {string} test The file, from the root of the project.
 * @property {string} title
 * @property {number} [hangs] The fault makes it hang: as good as a failure after so many seconds.
 */

/**
 * Simulated runs from a seed on, until a promise is broken or so many steps are made.
 *
 * @typedef {object} SimulationCheck
 * @property {number} steps
 * @property {number} [seed] 1 if none is given.
 * @property {'file' | 'timed'} [lease] Of a file if none is given.
 * @property {readonly string[]} [faults] All if none are given.
 * @property {number} [nodes] By the seed if none is given.
 */

/** @typedef {TestCheck | SimulationCheck} Check */

/**
 * @typedef {object} Mutant
 * @property {string} id
 * @property {string} says What the fault makes of the program, in a sentence.
 * @property {Promise_} breaks
 * @property {string} file From the root of the project.
 * @property {string} from What is replaced: found exactly once in the file.
 * @property {string} to
 * @property {readonly Check[]} killers Tried in this order, cheapest first; one is enough.
 */

/** Every kind of trouble; enough of it for all that this can find. @type {SimulationCheck} */
export const SIMULATED = { steps: 300_000 };

/**
 * One of the transcripts of test/scenarios.
 *
 * @param {string} title
 * @returns {TestCheck}
 */
export function transcript(title) {
  return { test: 'test/core/scenarios.test.ts', title };
}

/**
 * The text of the file with the fault in it.
 *
 * @param {Pick<Mutant, 'from' | 'to'>} mutant
 * @param {string} text
 * @returns {string | null} Null: what is to be replaced is not there, or there more than once.
 */
export function applied({ from, to }, text) {
  const at = text.indexOf(from);
  if (at < 0 || text.includes(from, at + 1)) return null;
  return text.slice(0, at) + to + text.slice(at + from.length);
}

/**
 * @param {Check} check
 * @returns {string}
 */
export function describeCheck(check) {
  if ('test' in check) return `${check.test.replace(/^test\//, '')}: ${check.title}`;
  const { seed = 1, steps, lease, faults, nodes } = check;
  const limits = [
    `seed ${String(seed)}`,
    `${String(steps)} steps`,
    ...(lease === undefined ? [] : [`${lease} lease`]),
    ...(faults === undefined ? [] : [faults.join(',')]),
    ...(nodes === undefined ? [] : [`${String(nodes)} nodes`]),
  ];
  return `simulate: ${limits.join(', ')}`;
}
