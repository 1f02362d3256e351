// What --lease names, and that no message repeats a password.
import { describe, expect, it, vi } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import { redactUrl } from '../../src/config/refused-url.ts';
import { failureOf } from '../support/failover-error.ts';

describe('a lease', () => {
  it.each(['file', 'file:'])('is that of the state directory: %s', (text) => {
    expect(parseLease(text)).toEqual({ kind: 'file', shown: 'file' });
  });

  it('is agreed on by the nodes themselves', () => {
    expect(parseLease('peers')).toEqual({ kind: 'peers', shown: 'peers' });
  });

  it('is that of one node', () => {
    const address = parseLease('static:web-1');
    expect(address).toEqual({ kind: 'static', node: 'web-1', shown: 'static:web-1' });
    expect(failureOf(() => parseLease('static:')).message).toMatch(
      /node of --lease "": it is empty/,
    );
    expect(failureOf(() => parseLease('static:a/b')).code).toBe('FAILOVER_BAD_NODE_ID');
  });

  it.each([
    ['redis://host', { host: 'host', port: 6379, tls: false, database: 0 }],
    ['redis://host:7/3', { host: 'host', port: 7, tls: false, database: 3 }],
    ['rediss://host/', { host: 'host', port: 6379, tls: true, database: 0 }],
    ['REDIS://host', { host: 'host', tls: false }],
    ['redis://[::1]:7', { host: '::1', port: 7 }],
    ['redis://user:p%40ss@host', { username: 'user', password: 'p@ss' }],
    ['redis://:100%25@host', { username: null, password: '100%' }],
    ['redis://:100%@host', { password: '100%' }],
  ])('is kept by the server of a URL: %s', (text, expected) => {
    expect(parseLease(text)).toMatchObject({ kind: 'redis', ...expected });
  });

  it.each([
    ['etcd://host', { endpoints: [{ host: 'host', port: 2379 }], tls: null, user: null }],
    ['ETCD://host:7/', { endpoints: [{ host: 'host', port: 7 }] }],
    [
      'etcds://a:7,[::1],c:8',
      {
        endpoints: [
          { host: 'a', port: 7 },
          { host: '::1', port: 2379 },
          { host: 'c', port: 8 },
        ],
        tls: { ca: null, own: null },
      },
    ],
    ['etcd://user:p%40s:s@a,b', { user: { name: 'user', password: 'p@s:s' } }],
    ['etcds://a?ca=/ca.pem', { tls: { ca: '/ca.pem', own: null } }],
    ['etcds://a/?cert=c&key=k', { tls: { ca: null, own: { cert: 'c', key: 'k' } } }],
  ])('is kept by the members of a cluster: %s', (text, expected) => {
    expect(parseLease(text)).toMatchObject({ kind: 'etcd', ...expected });
  });

  it.each([
    ['postgres://host', { host: 'host', port: 5432, tls: null, username: null, database: null }],
    ['postgresql://user:p%40ss@host:7/app', { port: 7, password: 'p@ss', database: 'app' }],
    ['postgres://user@[::1]/app', { host: '::1', username: 'user', password: null }],
    ['postgres://host/app?sslmode=verify-full', { tls: tls({ mode: 'verify-full' }) }],
    ['postgres://host/app?sslmode=disable', { tls: tls({ mode: 'disable' }) }],
    ['postgres://h/a?sslrootcert=/ca', { tls: tls({ rootCertificate: '/ca' }) }],
    ['postgres://h/a?sslcert=/c&sslkey=/k', { tls: tls({ certificate: '/c', key: '/k' }) }],
    ['postgres:///app?host=/run/postgresql', { host: '/run/postgresql', database: 'app' }],
    ['postgres://%2Frun%2Fpostgresql/app', { host: '/run/postgresql', database: 'app' }],
  ])('is kept in a database: %s', (text, expected) => {
    expect(parseLease(text)).toMatchObject({ kind: 'postgres', ...expected });
  });

  it('takes the port of PostgreSQL from PGPORT where the URL has none, as all its clients do', () => {
    vi.stubEnv('PGPORT', '6543');
    for (const text of ['postgres:///app?host=/run/postgresql', 'postgres://host/app']) {
      expect(parseLease(text)).toMatchObject({ port: 6543, database: 'app' });
    }
    expect(parseLease('postgres://host:7/app')).toMatchObject({ port: 7 });
    vi.stubEnv('PGPORT', 'none');
    expect(parseLease('postgres://host:7/app')).toMatchObject({ port: 7 });
    expect(() => parseLease('postgres://host/app')).toThrow('and PGPORT is not valid');
    vi.unstubAllEnvs();
  });

  it.each(['file:/mnt/share', 'file:///mnt/share', 'FILE:/mnt/./share/'])(
    'is kept in files that machines share: %s',
    (text) => {
      const shown = 'file:/mnt/share';
      expect(parseLease(text)).toEqual({ kind: 'timed-file', directory: '/mnt/share', shown });
    },
  );

  it.each([
    ['rediss://user:hush@host/3', 'rediss://host:6379/3'],
    ['etcds://user:hush@host,[::1]:7?ca=/ca.pem', 'etcds://host:2379,[::1]:7'],
    ['postgresql://user:hush@host/app?sslmode=require', 'postgres://host:5432/app'],
  ])('is shown without user and password: %s', (text, shown) => {
    expect(parseLease(text).shown).toBe(shown);
  });

  it.each([
    ['memcached://host', 'is not a lease that this version supports'],
    ['host:6379', 'is not a lease that this version supports'],
    ['', 'is not a lease that this version supports'],
    ['file:var/lib', 'must name a directory by an absolute path'],
    ['file://host/share', 'must name a directory by an absolute path'],
    ['redis://', 'names no host'],
    ['redis://host:99999', 'is no URL'],
    ['redis://host:0', 'has no port to connect to'],
    ['redis:host', 'names no host'],
    ['redis://host/db', 'has a path that is not a database number'],
    ['redis://host/1?x=1', 'has unknown parts after its path'],
    ['etcd://', 'is missing a host'],
    ['etcd:host', 'is not a list of hosts'],
    ['etcd://a,,b', 'is missing a host'],
    ['etcd://a:0', 'has no port to connect to'],
    ['etcd://a:99999', 'is missing a host'],
    ['etcd://a/path', 'is not a list of hosts'],
    ['etcd://user@a', 'must have both user and password, or neither'],
    ['etcd://a?ca=x', 'has unknown parts after its hosts'],
    ['etcds://a?cert=x', 'must have both `cert` and `key`, or neither'],
    ['postgres://', 'names no host'],
    ['postgres:///app', 'names no host'],
    ['postgres://host:99999/app', 'is no URL'],
    ['postgres://host:0/app', 'has no port to connect to'],
    ['postgres://host/a/b', 'has a path that is not a database name'],
    ['postgres://host/a?sslmode=maybe', 'has an sslmode that the client does not support'],
    ['postgres://host/a?options=-c', 'has an unknown parameter'],
    ['postgres://host/a#b', 'has unknown parts after its parameters'],
  ])('is refused with what is wrong: %j', (text, fact) => {
    const failure = failureOf(() => parseLease(text));
    expect(failure).toMatchObject({ code: 'FAILOVER_BAD_OPTION', exitCode: 2 });
    expect(failure.message).toContain(fact);
    expect(failure.message).toContain('--lease');
  });
});

function tls(given: object): object {
  const none = { mode: 'verify-full', rootCertificate: null, certificate: null, key: null };
  return { ...none, ...given };
}

describe('a password', () => {
  it.each([
    'redis://user:hush@host/db',
    'redis://:hush@host:99999',
    'redis://:hu/sh-hush@host:x',
    'mysql://user:hush@host',
    'redis://hush@host/a?b',
    'redis://host/?password=hush',
    'postgres://user:hush@host/a/b',
    'postgres://host/a?password=hush',
    'postgres://user:hush@host:x/a',
    'redis://user:a@hush@',
    'redis://user:12/hush@host',
    'redis://user:ha#hush@host',
    'redis:user:hush@host',
    'user:hush@host',
    'etcd://user:hush@a,b/path',
    'etcd://user:hu/sh-hush@a',
    'etcds://user:hush@a?cert=hush',
    'etcd://:hush@a',
    'redis://user:hush',
    'rediss://:hush',
    'postgres://user:hush',
  ])('is in no message: %s', (text) => {
    const failure = failureOf(() => parseLease(text));
    expect(`${failure.message} ${failure.hint}`).not.toContain('hush');
    expect(redactUrl(text)).not.toContain('hush');
  });
});
