// Every deliberate fault, by subject.
import { ANNOUNCING } from './announcing.js';
import { EPOCHS } from './epochs.js';
import { REQUESTS } from './requests.js';
import { STARTING } from './starting.js';
import { WATCHING } from './watching.js';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const MUTANTS = [...STARTING, ...EPOCHS, ...ANNOUNCING, ...WATCHING, ...REQUESTS];
