// A leader that is configured: everything goes there, and never back to where it came from.
import { describe, expect, it } from 'vitest';
import { StaticLeader } from '../../src/library/static-leader.ts';
import { failureOf } from '../support/failover-error.ts';

describe('a static leader', () => {
  it('is never this node, and has one address', async () => {
    const leader = new StaticLeader({ target: 'http://a:80/', localTarget: 'http://b' });
    await leader.start();
    expect(leader.isLeader()).toBe(false);
    expect(leader.redirectTarget()).toBe('http://a');
    await leader.close();
    await leader.close();
  });

  it.each([
    ['http://a:8080', 'http://a:8080'],
    ['http://A', 'http://a:80/'],
    ['https://a', 'https://a:443'],
    ['http://localhost:8080', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080', 'http://localhost:8080/'],
    ['http://a./x', 'http://a/x/'],
  ])('is refused when %s is this node, %s', (target, localTarget) => {
    const error = failureOf(() => new StaticLeader({ target, localTarget }));
    expect(error.code).toBe('FAILOVER_SETTINGS_CONFLICT');
    expect(error.message).toMatch(/it is this node itself$/);
  });

  it.each([
    ['http://a:8080', 'http://a:8081'],
    ['https://a:8080', 'http://a:8080'],
    ['http://a/x', 'http://a/y'],
  ])('may be %s beside %s', (target, localTarget) => {
    expect(new StaticLeader({ target, localTarget }).redirectTarget()).toBe(target);
  });

  it.each(['', 'a:80', 'ftp://a', 'http://', 'http://u:secret@a', 'http://a?x', 'http://a#x'])(
    'is refused as "%s"',
    (target) => {
      const error = failureOf(() => new StaticLeader({ target }));
      expect(error.code).toBe('FAILOVER_BAD_OPTION');
      expect(error.message).not.toContain('secret');
    },
  );
});
