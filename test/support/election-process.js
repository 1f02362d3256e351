// One node of an election in a process of its own. Argument: its options as JSON. Prints one JSON object a line.
import process from 'node:process';
import { runElection } from '../../dist/index.js';

/** @typedef {Omit<import('../../dist/index.js').ElectionOptions, 'onStart'>} Argument */
/** @type {unknown} */
const argument = JSON.parse(process.argv[2] ?? '{}');
const options = /** @type {Argument} */ (argument);

/** @param {Readonly<Record<string, unknown>>} what */
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const election = await runElection({
  ...options,
  onStart: (_, { epoch }) => void say({ event: 'start', epoch }),
});
process.on('SIGTERM', () => void election.close());
say({ event: 'joined' });
