// The settings of a proxy: defaults, where they come from, and what is refused of them.
import { describe, expect, it } from 'vitest';
import { loadProxyOptions } from '../../src/config/load-proxy.ts';
import type { ProxyOptions } from '../../src/config/load-proxy.ts';
import { PROXY_OPTIONS } from '../../src/config/options.ts';
import { parseHttpAddress, parseListen, parseTargets } from '../../src/config/proxy-address.ts';
import { formatSize, parseSize } from '../../src/config/size.ts';
import { failureOf } from '../support/failover-error.ts';

const LISTEN = { listen: '127.0.0.1:8080' };

function load(
  flags: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): ProxyOptions {
  return loadProxyOptions({ flags: { ...LISTEN, ...flags }, env });
}

describe('the options of a proxy', () => {
  it.each(PROXY_OPTIONS)('$flag is described by a sentence, with a placeholder', (option) => {
    expect(option.sentence).toMatch(/^[A-Za-z].*\.$/);
    expect(option.placeholder).toBeDefined();
    expect(option.variable).toMatch(/^FAILOVER_[A-Z]+(_[A-Z]+)*$/);
  });

  it.each(PROXY_OPTIONS.filter((option) => option.default !== null))(
    '$flag takes its own default when it is given',
    (option) => {
      expect(load({ [option.key]: option.default })).toEqual(load());
    },
  );

  it.each(PROXY_OPTIONS)('$flag is read from its variable too', ({ variable }) => {
    const flags = variable === 'FAILOVER_LISTEN' ? {} : LISTEN;
    const error = failureOf(() => loadProxyOptions({ flags, env: { [variable]: ' ' } }));
    expect(error.message).toContain(variable);
  });

  it('are in bytes and milliseconds', () => {
    expect(
      load({ to: 'http://a, http://[::1]:81', hold: '1m', maxHeaderSize: '8KiB' }),
    ).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080 },
      to: [{ url: 'http://a:80' }, { url: 'http://[::1]:81', host: '::1' }],
      ...{ holdMs: 60_000, maxHeaderBytes: 8192, holdMaxBytes: 67_108_864, group: 'default' },
    });
  });

  it.each<[flags: Record<string, unknown>, message: string, hint: string]>([
    [
      { holdMaxBytes: '2GiB' },
      'Cannot use --hold-max-bytes: "2GiB" is more than 1GiB',
      'Give --hold-max-bytes a size of at most 1GiB.',
    ],
    [
      { maxHeaderSize: '10' },
      'Cannot use --max-header-size: "10" is less than 1KiB',
      'Give --max-header-size a size of at least 1KiB.',
    ],
    [
      { to: 'https://a' },
      'Cannot use --to: "https://a" is neither http:// nor tcp://',
      'Give --to http://HOST:PORT or tcp://HOST:PORT.',
    ],
    [
      { to: 'http://a/path' },
      'Cannot use --to: "http://a/path" has more than a host and a port',
      'Give --to http://HOST:PORT or tcp://HOST:PORT.',
    ],
    [
      { to: 'tcp://a', mode: 'tcp' },
      'Cannot use --to: "tcp://a" has no port to connect to',
      'Give --to http://HOST:PORT or tcp://HOST:PORT.',
    ],
    [
      { to: 'http://a:1', mode: 'tcp' },
      'Cannot start a proxy: --mode tcp cannot forward to http://a:1',
      'Use --to tcp://HOST:PORT, or --mode http.',
    ],
    [
      { to: 'http://a:1', group: 'g' },
      'Cannot start a proxy: it forwards either to the primary of --group, or to --to',
      'Omit one of the two.',
    ],
    [
      { mode: 'tcp', readFrom: 'any' },
      'Cannot start a proxy: --mode tcp cannot tell reads from writes, as --read-from any asks',
      'Use --mode http, or omit --read-from.',
    ],
    [
      { readFrom: 'secondary' },
      'Cannot use --read-from: "secondary" is not a valid value',
      'Give --read-from one of primary, any, secondaries.',
    ],
  ])('%j is refused', (flags, message, hint) => {
    const error = failureOf(() => load(flags));
    expect([error.message, error.hint]).toEqual([message, hint]);
  });
});

describe('an address to listen at', () => {
  it.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    [':80', { host: null, port: 80 }],
    ['*:80', { host: null, port: 80 }],
  ])('%s is one', (text, expected) => {
    expect(parseListen(text)).toEqual(expected);
  });

  it.each(['80', 'a', 'a:', ':65536', '::1:80', '[a]:80', 'http://a:80', 'a b:80', ''])(
    '%j is none',
    (text) => {
      expect(failureOf(() => parseListen(text)).code).toBe('FAILOVER_BAD_OPTION');
    },
  );
});

describe('an address to answer health checks at', () => {
  it.each([
    ['8008', { host: '127.0.0.1', port: 8008 }],
    ['0', { host: '127.0.0.1', port: 0 }],
    ['10.0.0.7:8008', { host: '10.0.0.7', port: 8008 }],
    [':8008', { host: null, port: 8008 }],
  ])('%s is one', (text, expected) => {
    expect(parseHttpAddress(text)).toEqual(expected);
  });

  it.each(['65536', '-1', 'a', ''])('%j is none', (text) => {
    const failure = failureOf(() => parseHttpAddress(text));
    expect(failure.code).toBe('FAILOVER_BAD_OPTION');
    expect(failure.message).toMatch(/^Cannot use --http: ".*" is not an address to listen on$/);
  });
});

describe('a target', () => {
  it('with a password is refused without repeating it', () => {
    const { message } = failureOf(() => parseTargets('http://user:secret@a'));
    expect(message).not.toContain('secret');
  });
});

describe('a size', () => {
  it.each([
    ['0', 0],
    ['1000', 1000],
    ['1KiB', 1024],
    ['3MiB', 3_145_728],
  ])('%s is %i bytes, and the same again', (text, bytes) => {
    expect(parseSize(text, '--size')).toBe(bytes);
    expect(formatSize(bytes)).toBe(text);
  });

  it.each(['', '1k', '1 KiB', '-1', '1.5MiB', '9'.repeat(20)])('%j is none', (text) => {
    expect(failureOf(() => parseSize(text, '--size')).code).toBe('FAILOVER_BAD_OPTION');
  });
});
