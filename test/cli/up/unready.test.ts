// What is missing for a group of a file is said before anything is ended for it.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { refuseUnready } from '../../../src/cli/up/unready.ts';
import { runOptionsOf } from '../../../src/config/run-options.ts';
import type { RunOptions } from '../../../src/config/load.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';

function group(name: string, more: Partial<RunOptions> = {}): RunOptions {
  return runOptionsOf({ group: name, command: ['true'], ...more });
}

it('finds nothing missing for groups that can start', async () => {
  const server = group('on-a-server', { lease: 'redis://127.0.0.1:1/0' });
  const proxied = group('proxied', { proxy: '127.0.0.1:1', target: 'http://127.0.0.1:2' });
  await refuseUnready('f.yaml', [
    group('a'),
    server,
    proxied,
    group('hook', { command: [], promoteCommand: 'true' }),
  ]);
});

it('names each that could not, and what is missing', async () => {
  const missing = join(temporaryDirectory(), 'ca.pem');
  const lease = `postgres://127.0.0.1/db?sslmode=verify-full&sslrootcert=${missing}`;
  const groups = [
    group('fine'),
    group('program', { command: ['/no/such/program'] }),
    group('directory', { command: ['/tmp'] }),
    group('certificate', { lease }),
  ];
  await expect(refuseUnready('f.yaml', groups)).rejects.toMatchObject({
    code: 'FAILOVER_BAD_CONFIG',
    exitCode: 2,
    message: 'Cannot use f.yaml: 3 groups of it could not start here',
    facts: [
      expect.stringMatching(
        /^program: Cannot run \/no\/such\/program: the file does not exist\. \S/,
      ),
      'directory: Cannot run /tmp: /tmp is a directory. Use the path of a program.',
      expect.stringMatching(/^certificate: Cannot use --lease: its sslrootcert cannot be read: /),
    ],
  });
});

it('tells of twenty, and counts the others', async () => {
  const groups = Array.from({ length: 23 }, (_, n) => group(`g${String(n)}`, { command: ['/no'] }));
  const refused = refuseUnready('f.yaml', groups);
  await expect(refused).rejects.toMatchObject({
    facts: { length: 21, 20: 'and 3 more' },
  });
});
