// Who takes a request: which ones are reads, and which nodes may answer them.
import { describe, expect, it } from 'vitest';
import { isRead, readersFor } from '../../src/proxy/read-choice.ts';
import type { Readable, ReadSight } from '../../src/proxy/read-choice.ts';

const GET = { method: 'GET', hasBody: false, isUpgrade: false };

describe('a read', () => {
  it('is a GET or a HEAD that has no body and asks for no other protocol', () => {
    expect([isRead(GET), isRead({ ...GET, method: 'HEAD' })]).toEqual([true, true]);
    const others = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'get', ''];
    expect(others.filter((method) => isRead({ ...GET, method }))).toEqual([]);
    expect(isRead({ ...GET, hasBody: true })).toBe(false);
    expect(isRead({ ...GET, isUpgrade: true })).toBe(false);
  });
});

const node = (target: string, changed: Partial<Readable> = {}): Readable => ({
  ...{ target, isUsable: true, hasRoom: true },
  ...changed,
});

const SIGHT: ReadSight = {
  readFrom: 'any',
  nodes: [node('a'), node('b'), node('c')],
  ...{ primary: 'a', isPrimaryFree: true, tried: new Set() },
};

describe('those that may take a read', () => {
  it('are nobody where all goes to the primary', () => {
    expect(readersFor({ ...SIGHT, readFrom: 'primary' })).toEqual([]);
  });

  it('are all nodes, or all but the primary', () => {
    expect(readersFor(SIGHT)).toEqual(['a', 'b', 'c']);
    expect(readersFor({ ...SIGHT, readFrom: 'secondaries' })).toEqual(['b', 'c']);
  });

  it('are all nodes before anybody has led', () => {
    const sight = { ...SIGHT, primary: null, isPrimaryFree: false };
    expect(readersFor(sight)).toEqual(['a', 'b', 'c']);
    expect(readersFor({ ...sight, readFrom: 'secondaries' })).toEqual(['a', 'b', 'c']);
  });

  it('are without a primary at which it would be held', () => {
    expect(readersFor({ ...SIGHT, isPrimaryFree: false })).toEqual(['b', 'c']);
  });

  it('are without those that do not serve, have no room, or were tried', () => {
    const nodes = [node('a'), node('b', { isUsable: false }), node('c', { hasRoom: false })];
    expect(readersFor({ ...SIGHT, nodes })).toEqual(['a']);
    expect(readersFor({ ...SIGHT, tried: new Set(['a', 'c']) })).toEqual(['b']);
    expect(readersFor({ ...SIGHT, nodes, readFrom: 'secondaries' })).toEqual([]);
  });
});
