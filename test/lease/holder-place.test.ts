// Whether the sockets of a holder are where this process can connect to them.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Endpoints, LeaseObservation } from '../../src/core/state.ts';
import { withPlace } from '../../src/lease/holder-place.ts';
import { temporaryDirectory } from './support/fixtures.ts';

it('a holder is apart as long as one of its sockets is not there', () => {
  const { endpoints, paths } = sockets();
  expect(isApart(endpoints)).toBe(true);
  writeFileSync(paths.bus, '');
  expect(isApart(endpoints)).toBe(true);
  writeFileSync(paths.rpc, '');
  expect(isApart(endpoints)).toBe(false);
  rmSync(paths.bus);
  expect(isApart(endpoints)).toBe(true);
});

it.skipIf(process.getuid?.() === 0)('one behind a directory of others is apart too', () => {
  const { endpoints, paths, directory } = sockets();
  for (const path of [paths.bus, paths.rpc]) writeFileSync(path, '');
  chmodSync(directory, 0);
  expect(isApart(endpoints)).toBe(true);
  chmodSync(directory, 0o700);
});

it('one that other machines reach is not, wherever it is', () => {
  expect(isApart({ bus: 'tcp://192.0.2.1:7400', rpc: 'tcp://192.0.2.1:7401' })).toBe(false);
});

it('nobody is looked for where nobody holds the lease, or its holder is not known', () => {
  const { endpoints } = sockets();
  const past = { ...heldBy(endpoints), held: false };
  expect(withPlace(past)).toBe(past);
  const unnamed = { ...heldBy(endpoints), holder: null };
  expect(withPlace(unnamed)).toBe(unnamed);
});

function isApart(endpoints: Endpoints): boolean {
  return withPlace(heldBy(endpoints)).holder?.apart === true;
}

function heldBy(endpoints: Endpoints): LeaseObservation {
  const holder = { node: 'a', run: 'a1', endpoints };
  return { epoch: 1, held: true, holder, recordUnreadable: false, touch: null, paused: false };
}

/** The addresses of two that are not there yet. */
function sockets(): { directory: string; endpoints: Endpoints; paths: Endpoints } {
  const directory = join(temporaryDirectory(), 'sockets');
  mkdirSync(directory);
  const paths = { bus: join(directory, 'x.bus'), rpc: join(directory, 'x.rpc') };
  return { directory, paths, endpoints: { bus: `ipc://${paths.bus}`, rpc: `ipc://${paths.rpc}` } };
}
