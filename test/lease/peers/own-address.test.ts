// Which address of a list is that of this node.
import { describe, expect, it } from 'vitest';
import { otherAddresses, ownAddress } from '../../../src/lease/peers/own-address.ts';
import { failureOf } from '../../support/failover-error.ts';

const OWN = { names: ['localhost', 'node-a', '10.0.0.1', '::1'] };
const [A, B] = ['http://10.0.0.1:7400', 'http://10.0.0.2:7400'];

describe('the address of a node', () => {
  it('is the one that it is told', () => {
    expect(ownAddress([A, B], 'http://public:80', OWN)).toBe('http://public:80');
  });

  it.each([A, 'http://node-a:7400', 'http://NODE-A:7400', 'http://[::1]:7400'])(
    'is the one that is of its machine: %s',
    (mine) => {
      expect(ownAddress([B, mine], null, OWN)).toBe(mine);
    },
  );

  it('has to be said where none is, or several are', () => {
    const none = failureOf(() => ownAddress([B], null, OWN));
    expect(none.message).toContain('none of --peers is on this machine');
    const several = failureOf(() => ownAddress([A, 'http://localhost:1', B], null, OWN));
    expect(several.message).toContain(`${A} and http://localhost:1 are on this machine`);
    expect(several.hint).toContain('--peer-address');
  });

  it.each(['https://node-a:7400', 'http://node-a:7400/x'])(
    'has to be said where the one of its machine is that of something in front of it: %s',
    (front) => {
      const { message, hint } = failureOf(() => ownAddress([front, B], null, OWN));
      expect(message).toContain(`${front} is on this machine, but this node serves http on a port`);
      expect(hint).toContain('--peer-address');
      expect(ownAddress([front, B], A, OWN)).toBe(A);
    },
  );

  it('is not among those of the others, whatever they call it', () => {
    const peers = ['http://127.0.0.1:7400', B, B, 'http://localhost:7401'];
    expect(otherAddresses(peers, 'http://localhost:7400')).toEqual([B, 'http://localhost:7401']);
  });

  it.each([
    ['http://127.0.0.1:7400', 'http://127.0.0.2:7400'],
    ['http://localhost:7400', 'http://127.0.0.2:7400'],
    ['http://127.0.0.1:7400', 'http://127.example.org:7400'],
  ])('is not another of this machine: %s is not %s', (one, other) => {
    expect(otherAddresses([one, other], one)).toEqual([other]);
    expect(otherAddresses([one, other], other)).toEqual([one]);
  });

  it.each([
    ['http://127.0.0.1:7400', 'http://localhost:7400'],
    ['http://[::1]:7400', 'http://localhost.:7400'],
    [A, A],
  ])('must leave others: %s is %s', (one, other) => {
    const { message, hint } = failureOf(() => otherAddresses([one, other], one));
    expect(message).toContain(`${one} and ${other} are both this node, and no other is left`);
    expect(hint).toContain('--peers');
  });

  it('may be the only one', () => {
    expect(otherAddresses([A], A)).toEqual([]);
  });
});
