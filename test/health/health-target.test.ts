// What can be checked by the library, and in which forms it is given.
import { describe, expect, it } from 'vitest';
import { addressText, networkCheckOf } from '../../src/health/health-target.ts';
import type { HealthAddress } from '../../src/health/health-target.ts';
import { failureOf } from '../support/failover-error.ts';

const GOOD: readonly (readonly [HealthAddress, string])[] = [
  ['http://a/health?deep=1', 'http://a/health?deep=1'],
  ['https://a:8443', 'https://a:8443/'],
  ['http://[::1]:80/x', 'http://[::1]/x'],
  [{ host: 'a', port: 8080 }, 'http://a:8080/'],
  [
    { host: '127.0.0.1', port: 8080, path: '/health?deep=1' },
    'http://127.0.0.1:8080/health?deep=1',
  ],
  [{ host: '::1', port: 8080, path: '/health' }, 'http://[::1]:8080/health'],
  [{ host: '[2001:db8::1]', port: 443, protocol: 'https' }, 'https://[2001:db8::1]/'],
];

describe('an address over HTTP', () => {
  it.each(GOOD)('%j is asked as %s', (address, url) => {
    expect(networkCheckOf(address, 'address')).toEqual({ kind: 'http', url });
  });
});

const PORTS: readonly (readonly [HealthAddress, string])[] = [
  ['tcp://a:80', 'a'],
  ['tcp://[::1]:80', '::1'],
  [{ protocol: 'tcp', host: '::1', port: 80 }, '::1'],
  [{ protocol: 'tcp', host: 'a.b', port: 80 }, 'a.b'],
];

describe('a port', () => {
  it.each(PORTS)('%j is connected to at %s', (address, host) => {
    expect(networkCheckOf(address, 'address')).toEqual({ kind: 'tcp', host, port: 80 });
  });
});

const BAD: readonly (readonly [HealthAddress, string])[] = [
  ['', 'has no known form'],
  ['a:80', 'has no known form'],
  ['ftp://a', 'has no known form'],
  ['http://', 'is not a URL'],
  ['tcp://::1:80', 'is not tcp://HOST:PORT'],
  ['exec:rm -rf x', 'is a command, not an address'],
  [{ host: '', port: 80 }, 'has no valid host'],
  [{ host: 'a/b', port: 80 }, 'has no valid host'],
  [{ host: 'a@b', port: 80 }, 'has no valid host'],
  [{ host: 'a:80', port: 80 }, 'has no valid host'],
  [{ host: '[a]', port: 80 }, 'has no valid host'],
  [{ host: 'fe80::1%eth0', port: 80 }, 'is not a URL'],
  [{ host: 'a', port: 0 }, 'has the port 0, not 1 to 65535'],
  [{ host: 'a', port: 65_536 }, 'has the port 65536, not 1 to 65535'],
  [{ host: 'a', port: 80.5 }, 'has the port 80.5, not 1 to 65535'],
  [{ host: 'a', port: 80, path: 'health' }, 'has a path that does not begin with a slash'],
  [{ protocol: 'tcp', host: 'a', port: 80, path: '/' }, 'has a path, but a TCP port has none'],
];

describe('an address that is none', () => {
  it.each(BAD)('%j is refused: it %s', (address, fact) => {
    const error = failureOf(() => networkCheckOf(address, 'address'));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toMatch(/^Cannot use address: /);
    expect(error.message).toContain(fact);
  });

  it('is refused where only HTTP will do', () => {
    const error = failureOf(() => networkCheckOf('tcp://a:80', 'address', 'http'));
    expect(error.message).toContain('is not an HTTP address');
  });

  it('shows no password', () => {
    const error = failureOf(() => networkCheckOf('ftp://user:secret@a', 'address'));
    expect(`${error.message} ${error.hint}`).not.toContain('secret');
  });
});

it('is the same in parts and as one text', () => {
  expect(addressText({ host: '::1', port: 80, path: '/x' })).toBe('http://[::1]:80/x');
  expect(addressText({ protocol: 'tcp', host: 'a', port: 80 })).toBe('tcp://a:80');
});
