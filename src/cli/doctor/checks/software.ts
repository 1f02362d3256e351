// What failover itself stands on: Node.js, its binding of ZeroMQ, and the client of a store.
import { isOnServer } from '../../../config/lease-url.ts';
import type { StoreAddress } from '../../../config/lease-url.ts';
import { messageOf } from '../../../error-message.ts';
import { FailoverError } from '../../../errors.ts';
import { loadStore } from '../../../runtime/node-lease.ts';
import { lackOfNotifier } from '../../../systemd/notifier.ts';
import { failure, ok, refused, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';

export const SOFTWARE_CHECKS: readonly Check[] = [
  {
    id: 'node-version',
    question: 'Is this version of Node.js supported?',
    run: () => judgeNode(process.versions.node),
  },
  { id: 'zeromq', question: 'Can the binding of ZeroMQ be loaded?', run: () => loadZeroMq() },
  {
    id: 'service-manager',
    question: 'Can a service manager (systemd, Type=notify) be notified by a node?',
    run: () => loadNotifier(),
  },
  {
    id: 'lease-client',
    question: 'Is the client of the store installed?',
    appliesTo: ({ lease }) => isOnServer(lease) && lease.kind !== 'timed-file',
    run: async ({ lease, limitMs }) =>
      isOnServer(lease) ? loadClientOf(lease, limitMs) : ok('None is needed'),
  },
];

const LEAST = [20, 19] as const;

/** Exported for its tests. */
export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fact = `Node.js ${version}`;
  if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
    return failure(fact, `Install Node.js ${LEAST.join('.')} or later.`);
  }
  // Odd ones are supported for half a year, and nothing is tried on them.
  if (major % 2 === 0) return ok(fact);
  return warning(
    fact,
    `Use a version with long-term support, such as Node.js ${String(major - 1)}.`,
  );
}

/** Exported for its tests: what is loaded is told by who calls. */
export async function loadZeroMq(
  load: () => Promise<{ readonly version: string }> = () => import('zeromq'),
): Promise<Finding> {
  try {
    const { version } = await load();
    return ok(`ZeroMQ ${version} is loaded`);
  } catch (error) {
    const [why = ''] = messageOf(error).split('\n');
    return failure(
      `The binding of ZeroMQ cannot be loaded: ${why}`,
      'Reinstall failover on this machine, for its processor and C library.',
    );
  }
}

/** Exported for its tests, likewise. */
export async function loadNotifier(load?: () => Promise<unknown>): Promise<Finding> {
  const why = await lackOfNotifier(load);
  if (why === null) return ok('A service manager can be notified that a node is ready and alive');
  return warning(
    `A service manager could not be notified by a node: ${why}`,
    'Use Type=exec without WatchdogSec= in its unit.',
  );
}

async function loadClientOf(address: StoreAddress, limitMs: number): Promise<Finding> {
  try {
    await loadStore(address, limitMs);
    return ok(`The client of ${address.kind} is installed`);
  } catch (error) {
    if (error instanceof FailoverError) return refused(error);
    throw error;
  }
}
