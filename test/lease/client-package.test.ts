// The client of a store: what is said where it is missing is shown beside each store.
import { expect, it } from 'vitest';
import { loadClient } from '../../src/lease/client-package.ts';

const PACKAGE = { store: 'Nowhere', name: 'nowhere', major: 3 };

it('a client that fails otherwise is not taken for a missing one', async () => {
  const broken = new SyntaxError('unexpected token');
  await expect(loadClient(PACKAGE, () => Promise.reject(broken))).rejects.toBe(broken);
});

it('a client is what its package holds', async () => {
  const held = { createClient: () => null };
  expect(await loadClient(PACKAGE, () => Promise.resolve(held))).toBe(held);
});
