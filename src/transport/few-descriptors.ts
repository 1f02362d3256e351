// A process that can open few more files takes no node: who connects to it could end it.
import { FailoverError } from '../errors.ts';
import { FOR_NODE, lackOfNodeDescriptors } from '../spare-descriptors.ts';

/** @throws FAILOVER_OUT_OF_DESCRIPTORS */
export function refuseFewDescriptors(): void {
  const lack = lackOfNodeDescriptors();
  if (lack === null) return;
  const message = `Cannot listen for other nodes: fewer than ${FOR_NODE} more files can be opened`;
  throw new FailoverError('FAILOVER_OUT_OF_DESCRIPTORS', `${message}: ${lack.message}`, {
    cause: lack,
  });
}
