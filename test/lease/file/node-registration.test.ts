// The registration of a node: what it wrote ahead may be taken for an old leftover in that very moment.
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { replaceFile } from '../../../src/lease/file/durable-file.ts';
import type * as DurableFile from '../../../src/lease/file/durable-file.ts';
import { NodeRegistration } from '../../../src/lease/file/node-registration.ts';
import { granted, openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';

const { replaceFile: real } = await vi.importActual<typeof DurableFile>(
  '../../../src/lease/file/durable-file.ts',
);

vi.mock('../../../src/lease/file/durable-file.ts', async (original) => ({
  ...(await original<typeof DurableFile>()),
  replaceFile: vi.fn(),
}));

beforeEach(() => {
  vi.mocked(replaceFile).mockReset();
  vi.mocked(replaceFile).mockImplementation(real);
});

function loseNext(path: string, content: string | Buffer): void {
  real(path, content);
  rmSync(path);
}

it('is made again when the claim was removed before it had a second name', () => {
  const { paths } = openLease(temporaryDirectory(), 'a');
  vi.mocked(replaceFile).mockImplementationOnce(loseNext);
  const registration = new NodeRegistration(paths, { v: 1, ...ownRecord('b'), sessions: [] });
  expect(registration.isPresent).toBe(true);
  registration.close();
});

it('fails when that happens again and again, and leaves nothing', () => {
  const { paths } = openLease(temporaryDirectory(), 'a');
  vi.mocked(replaceFile).mockImplementation(loseNext);
  const record = { v: 1, ...ownRecord('b'), sessions: [] } as const;
  expect(() => new NodeRegistration(paths, record)).toThrow('Cannot register node b');
  expect(existsSync(`${paths.nodes}/${record.run}.json`)).toBe(false);
});

it.each([
  [
    'cut short',
    (path: string): void => {
      truncateSync(path, 10);
    },
  ],
  [
    'written over',
    (path: string): void => {
      writeFileSync(path, '{"v":99}');
    },
  ],
  [
    'made longer',
    (path: string): void => {
      writeFileSync(path, ' ', { flag: 'a' });
    },
  ],
])('is put right when it was %s', async (_, spoil) => {
  const lease = openLease(temporaryDirectory(), 'a');
  await granted(lease.acquire(0));
  const name = `${lease.local.listNodes()[0]?.run ?? ''}.json`;
  const { nodes, claims, epochs } = lease.paths;
  const paths = [join(nodes, name), join(claims, name), join(epochs, '1')];
  const before = paths.map((path) => readFileSync(path, 'utf8'));
  for (const path of [join(nodes, name), join(epochs, '1')]) spoil(path);
  lease.verify();
  expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
});
