// Makes what tells the leader from the environment; where nothing is set, this node leads, and nothing is asked.
import { readFileSync } from 'node:fs';
import { onlyGiven } from '../config/only-given.ts';
import { parsePeerAddresses } from '../config/peer-address.ts';
import { FailoverError } from '../errors.ts';
import type { ManagedLeader } from './leader-provider.ts';
import { PeersElection } from './peers-election.ts';
import type { PeersElectionOptions } from './peers-election.ts';
import { StaticLeader } from './static-leader.ts';

/** Each with what it is for. */
export const LEADER_VARIABLES = {
  FAILOVER_STATIC_LEADER: 'the address of a leader that never changes',
  FAILOVER_PEERS: 'the addresses of the peers, with commas',
  FAILOVER_LOCAL_TARGET: 'the address of this node',
  FAILOVER_PEER_SECRET_FILE: 'a file with the secret that the peers share',
} as const;

/** What is given here goes before the environment. */
export type LeaderOptions = Partial<PeersElectionOptions>;

/**
 * A static leader where `FAILOVER_STATIC_LEADER` is set, an election where `FAILOVER_PEERS` is, and otherwise one
 * that is inactive: so it can be wired in unconditionally. An empty variable counts as absent.
 *
 * @throws FAILOVER_SETTINGS_CONFLICT when both are set, and what `StaticLeader` and `PeersElection` throw
 */
export function leaderFromEnvironment(
  options: LeaderOptions = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ManagedLeader {
  const given = onlyGiven(options);
  const read = (name: keyof typeof LEADER_VARIABLES): string | undefined =>
    env[name] === '' ? undefined : env[name];
  const target = read('FAILOVER_STATIC_LEADER');
  const peers = read('FAILOVER_PEERS');
  const localTarget = given.localTarget ?? read('FAILOVER_LOCAL_TARGET');
  if (target !== undefined && peers !== undefined) {
    throw new FailoverError(
      'FAILOVER_SETTINGS_CONFLICT',
      'Cannot run: FAILOVER_STATIC_LEADER names a leader, but FAILOVER_PEERS asks for an election',
      { hint: 'Set only one of them.' },
    );
  }
  if (target !== undefined) {
    return new StaticLeader({ target, ...(localTarget === undefined ? {} : { localTarget }) });
  }
  if (peers === undefined && given.peers === undefined) return INACTIVE;
  if (localTarget === undefined) {
    throw new FailoverError(
      'FAILOVER_BAD_OPTION',
      'Cannot take part in an election: this node has no address that others can reach',
      { details: { option: 'FAILOVER_LOCAL_TARGET', expected: 'the address of this node' } },
    );
  }
  const file = read('FAILOVER_PEER_SECRET_FILE');
  return new PeersElection({
    ...(file === undefined ? {} : { secret: secretIn(file) }),
    ...(peers === undefined ? {} : { peers: parsePeerAddresses(peers, 'FAILOVER_PEERS') }),
    ...given,
    localTarget,
  });
}

const INACTIVE: ManagedLeader = {
  kind: 'inactive',
  isLeader: () => true,
  redirectTarget: () => null,
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Without the line end that editors add. */
function secretIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new FailoverError(
      'FAILOVER_BAD_OPTION',
      `Cannot read the file of FAILOVER_PEER_SECRET_FILE: ${code}`,
      {
        cause,
        details: { option: 'FAILOVER_PEER_SECRET_FILE', expected: 'a file that can be read' },
      },
    );
  }
}
