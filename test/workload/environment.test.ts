// What the workload and its hooks do not find in their environment.
import { afterEach, expect, it, vi } from 'vitest';
import { nodeEnvironment } from '../../src/workload/environment.ts';

const CONTEXT = { group: 'web', node: 'a', stateDir: '/s', roleFile: '/s/role' };

afterEach(() => {
  vi.unstubAllEnvs();
});

it('the address of the server of the lease, with its password, is kept from what is started', () => {
  vi.stubEnv('FAILOVER_LEASE', 'rediss://:hush@host');
  expect(nodeEnvironment(CONTEXT, 3)).toMatchObject({ FAILOVER_LEASE: '', FAILOVER_NODE: 'a' });
});

it('no variable is added where there was none', () => {
  vi.stubEnv('FAILOVER_LEASE', undefined);
  expect(nodeEnvironment(CONTEXT, 3)).not.toHaveProperty('FAILOVER_LEASE');
});
