// Faults of the wait for what is under way through proxies, before a planned end.
import { transcript } from './mutant.js';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const DRAINING = [
  {
    id: 'silent-proxy-waited-for-for-ever',
    says: 'A proxy that lives and never says that it has drained keeps a primary from stepping down.',
    breaks: 'S4',
    file: 'src/core/attached-proxies.ts',
    from: 'const latest = Math.min(drainFrom + drainLimitMs(settings), heardAt + PROXY_FORGOTTEN_MS);',
    to: 'const latest = Math.max(drainFrom + drainLimitMs(settings), heardAt + PROXY_FORGOTTEN_MS);',
    killers: [transcript('a proxy that never says so is waited for as long as one may be')],
  },
  {
    id: 'dead-proxy-waited-for',
    says: 'A proxy that has ended unexpectedly is waited for as one that lives.',
    breaks: 'S4',
    file: 'src/core/attached-proxies.ts',
    from: 'const latest = Math.min(drainFrom + drainLimitMs(settings), heardAt + PROXY_FORGOTTEN_MS);',
    to: 'const latest = Math.min(drainFrom + drainLimitMs(settings), heardAt * PROXY_FORGOTTEN_MS);',
    killers: [transcript('a proxy that ends while it is waited for is forgotten in time')],
  },
  {
    id: 'proxies-without-limit',
    says: 'Every proxy that says so is remembered.',
    breaks: 'S4',
    file: 'src/core/attached-proxies.ts',
    from: 'return others.length >= PROXY_LIMIT ? others : [...others, { proxy, heardAt: at }];',
    to: 'return others.length >= 2 * PROXY_LIMIT ? others : [...others, { proxy, heardAt: at }];',
    killers: [{ test: 'test/core/attached-proxies.test.ts', title: 'keeps no more than' }],
  },
  {
    id: 'proxy-not-waited-for',
    says: 'A planned end cuts what is under way through a proxy.',
    breaks: 'S5',
    file: 'src/core/attached-proxies.ts',
    from: '  if (recent.length === 0) return drainUntil;',
    to: '  if (recent.length >= 0) return drainUntil;',
    killers: [transcript('two proxies: it goes on once nothing is under way through both')],
  },
  {
    id: 'first-proxy-ends-the-drain',
    says: 'A planned end goes on when the first of several proxies has drained.',
    breaks: 'S5',
    file: 'src/core/attached-proxies.ts',
    from: '  return proxies.filter((known) => known.proxy !== proxy);',
    to: '  return proxies.filter((known) => known.proxy < proxy);',
    killers: [transcript('two proxies: it goes on once nothing is under way through both')],
  },
  {
    id: 'drain-of-a-former-term',
    says: 'What a proxy says of an earlier epoch ends the drain of this one.',
    breaks: 'S5',
    file: 'src/core/when-primary.ts',
    from: 'return event.epoch === state.epoch ? toldByProxy(state, event, settings) : stay(state);',
    to: 'return event.epoch <= state.epoch ? toldByProxy(state, event, settings) : stay(state);',
    killers: [transcript('what a proxy says of another epoch is no word of this one')],
  },
  {
    id: 'proxies-not-told',
    says: 'Proxies are waited for and not told to send nothing new.',
    breaks: 'S4',
    file: 'src/core/demotion.ts',
    from: 'return stay(drained.state, closingNotice(epoch, demotion.reason));',
    to: 'return stay(drained.state, ...(epoch < 0 ? [closingNotice(epoch, demotion.reason)] : []));',
    killers: [transcript('two proxies: it goes on once nothing is under way through both')],
  },
];
