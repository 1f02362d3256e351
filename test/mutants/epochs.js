// Faults of the epochs: each start has a higher one, and an older one has no authority.
import { SIMULATED, transcript } from './mutant.js';

/** A server that forgets: then the nodes are what remembers. */
const FORGETTING = {
  lease: /** @type {const} */ ('timed'),
  faults: ['store-wipe', 'store-lag', 'crash', 'store-cut', 'stop'],
  steps: 200_000,
};

/** @type {readonly import('./mutant.js').Mutant[]} */
export const EPOCHS = [
  {
    id: 'epoch-repeated-on-restart',
    says: 'A restart in place runs under the epoch of the last run.',
    breaks: 'S2',
    file: 'src/core/restarting.ts',
    from: 'plan: beginPlan(state.at, settings, { armed: false, epoch: null }),',
    to: 'plan: beginPlan(state.at, settings, { armed: false, epoch: state.epoch }),',
    killers: [SIMULATED, transcript('cleared, armed, epoch')],
  },
  {
    id: 'floor-not-claimed-with',
    says: 'A claim does not carry the highest epoch that the node has seen.',
    breaks: 'S2',
    file: 'src/core/claim.ts',
    from: "const effects: Effect[] = [{ type: 'acquire-lease', floor: state.epochFloor }];",
    to: "const effects: Effect[] = [{ type: 'acquire-lease', floor: 0 }];",
    killers: [transcript('third in the succession: leaves 5 ms to each before it')],
  },
  {
    id: 'floor-not-learned',
    says: 'A look at the lease teaches a node no epoch.',
    breaks: 'S2',
    file: 'src/core/transition.ts',
    from: 'const epochFloor = isAwaited ? state.epochFloor : Math.max(state.epochFloor, observation.epoch);',
    to: 'const epochFloor = isAwaited ? state.epochFloor : state.epochFloor + 0 * observation.epoch;',
    killers: [FORGETTING, transcript('first in the succession: claims at once')],
  },
  {
    id: 'passed-epoch-accepted',
    says: 'An epoch that is granted after a higher one was seen is served under.',
    breaks: 'S2',
    file: 'src/core/when-candidate.ts',
    from: 'if (epoch <= state.epochFloor) return grantedTooLate(state, epoch, settings);',
    to: 'if (epoch < 0) return grantedTooLate(state, epoch, settings);',
    killers: [
      SIMULATED,
      transcript('a claim: what is granted when a higher epoch is known already is given back'),
    ],
  },
  {
    id: 'stale-message-accepted',
    says: 'A message of an older epoch has authority: late words of the last term end the present one.',
    breaks: 'S4',
    file: 'src/core/transition.ts',
    from: 'if (event.epoch < state.epochFloor) {',
    to: 'if (event.epoch < 0) {',
    killers: [transcript('a shutdown of an old epoch has no authority')],
  },
  {
    id: 'inflated-epoch-believed',
    says: 'A newer epoch in a message is believed without a look at the lease: one forged message silences the primary.',
    breaks: 'S4',
    file: 'src/core/transition.ts',
    from: `      if (event.epoch > state.epochFloor && state.role !== 'stopped') {
        return stay(state, { type: 'observe-lease' });
      }`,
    to: `      if (event.epoch > state.epochFloor && state.role !== 'stopped') {
        return stay({ ...state, epochFloor: event.epoch });
      }`,
    killers: [transcript('an inflated epoch is only looked into')],
  },
];
