// Simulates on the core of the tree that this file is in; prints what became of it as one line of JSON.
import { Campaign } from '../../dist/simulation/campaign.js';
import { FAULT_KINDS, isFaultKind } from '../../dist/simulation/faults.js';

/**
 * @typedef {object} Simulated
 * @property {import('../../src/simulation/checker.ts').Violation | null} violation
 * @property {number | null} seed Of the run that broke a promise.
 * @property {number} steps
 */

/** @type {(text: string) => import('./mutant.js').SimulationCheck} */
const readCheck = JSON.parse;
const { seed = 1, steps, nodes = null, lease = 'file', faults } = readCheck(process.argv[2] ?? '');
const kinds = faults === undefined ? FAULT_KINDS : faults.filter(isFaultKind);
if (kinds.length !== (faults ?? FAULT_KINDS).length) throw new Error('no such fault');

const campaign = new Campaign({ seed, steps, nodes, lease, kinds });
while (!campaign.isOver) campaign.run();
const { failure, totals } = campaign;
/** @type {Simulated} */
const simulated = {
  violation: failure?.violation ?? null,
  seed: failure?.seed ?? null,
  steps: totals.steps,
};
process.stdout.write(`${JSON.stringify(simulated)}\n`);
