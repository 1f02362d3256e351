// What the environment asks for: a static leader, an election, or nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leaderFromEnvironment } from '../../src/library/leader-from-environment.ts';
import { failureOf } from '../support/failover-error.ts';

const secret = 'a secret of this test';

describe('the environment', () => {
  it.each([
    ['nothing', {}],
    ['empty variables', { FAILOVER_PEERS: '', FAILOVER_STATIC_LEADER: '' }],
    ['only an address of its own', { FAILOVER_LOCAL_TARGET: 'http://a' }],
  ])('with %s lets this node lead, and asks nobody', async (_, env) => {
    const leader = leaderFromEnvironment({}, env);
    await leader.start();
    expect([leader.kind, leader.isLeader(), leader.redirectTarget()]).toEqual([
      'inactive',
      true,
      null,
    ]);
    await leader.close();
    expect(leader.isLeader()).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['a leader', { FAILOVER_STATIC_LEADER: 'http://a' }],
    ['an election', { FAILOVER_PEERS: 'http://a', FAILOVER_LOCAL_TARGET: 'http://a' }],
  ])('with %s makes what ends with its block', async (_, env) => {
    await using leader = leaderFromEnvironment({ secret }, env);
    expect(leader[Symbol.asyncDispose]).toBeTypeOf('function');
  });

  it('names a static leader', () => {
    const env = { FAILOVER_STATIC_LEADER: 'http://a', FAILOVER_LOCAL_TARGET: 'http://b' };
    const leader = leaderFromEnvironment({}, env);
    expect([leader.kind, leader.redirectTarget()]).toEqual(['static', 'http://a']);
    const own = { ...env, FAILOVER_LOCAL_TARGET: 'http://a' };
    expect(failureOf(() => leaderFromEnvironment({}, own)).code).toBe('FAILOVER_SETTINGS_CONFLICT');
  });

  it('names peers, with a secret of a file or of the program', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'failover-secret-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const file = join(directory, 'secret');
    writeFileSync(file, `${secret}\n`);
    const env = { FAILOVER_PEERS: 'http://a, http://b', FAILOVER_LOCAL_TARGET: 'http://a' };
    const leaders = [
      leaderFromEnvironment({ secret }, env),
      leaderFromEnvironment({}, { ...env, FAILOVER_PEER_SECRET_FILE: file }),
    ];
    expect(leaders.map(({ kind }) => kind)).toEqual(['peers', 'peers']);
    await Promise.all(leaders.map((leader) => leader.close()));
  });

  it('counts where the program gives nothing, also where it says so', () => {
    const env = { FAILOVER_PEERS: 'http://a, http://b', FAILOVER_LOCAL_TARGET: 'http://a' };
    for (const nothing of [undefined, null]) {
      // What a program without types may hand over. Peers without a secret are refused: these count.
      const given = { peers: nothing, secret: nothing, localTarget: nothing } as object;
      expect(failureOf(() => leaderFromEnvironment(given, env)).message).toBe(
        'Cannot use secret: there is none',
      );
      const alone = leaderFromEnvironment(given, { FAILOVER_LOCAL_TARGET: 'http://a' });
      expect(alone.kind).toBe('inactive');
    }
  });

  it.each([
    ['both', { FAILOVER_PEERS: 'http://a', FAILOVER_STATIC_LEADER: 'http://b' }, /FAILOVER_PEERS/],
    ['peers and no address', { FAILOVER_PEERS: 'http://a' }, /no address that others can reach/],
    ['no URL', { FAILOVER_PEERS: 'a:80', FAILOVER_LOCAL_TARGET: 'http://a' }, /FAILOVER_PEERS/],
    [
      'a file that is not there',
      {
        ...{ FAILOVER_PEERS: 'http://a', FAILOVER_LOCAL_TARGET: 'http://a' },
        FAILOVER_PEER_SECRET_FILE: '/nowhere/at/all',
      },
      /FAILOVER_PEER_SECRET_FILE: ENOENT/,
    ],
  ])('with %s is refused', (_, env, message) => {
    expect(failureOf(() => leaderFromEnvironment({}, env)).message).toMatch(message);
  });
});
