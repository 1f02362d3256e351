// Where a node may listen, and what it may tell others of that.
import { describe, expect, it } from 'vitest';
import { parseAdvertise, parseBind } from '../../src/config/bind.ts';
import { failureOf } from '../support/failover-error.ts';

describe('an address to listen at', () => {
  it.each([
    ['ipc', { kind: 'ipc' }],
    ['tcp://10.0.0.5:7400', { kind: 'tcp', host: '10.0.0.5', port: 7400 }],
    ['tcp://[::1]:7400', { kind: 'tcp', host: '::1', port: 7400 }],
    ['tcp://*:0', { kind: 'tcp', host: '*', port: 0 }],
    ['TCP://localhost:*', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
  ])('%s', (text, expected) => {
    expect(parseBind(text)).toEqual(expected);
  });

  it.each([
    ['', 'is not an address to listen on'],
    ['tcp', 'is not an address to listen on'],
    ['tcp://10.0.0.5', 'is not an address to listen on'],
    ['tcp://10.0.0.5:x', 'is not an address to listen on'],
    ['ipc:///run/x', 'is not an address to listen on'],
    ['tcp://db1:7400', 'is not a numeric address'],
    ['tcp://::1:7400', 'is not a numeric address'],
    ['tcp://[10.0.0.5]:7400', 'is not a numeric address'],
    ['tcp://1.2.3.4:7400;5.6.7.8:1', 'is not a numeric address'],
    ['tcp://10.0.0.5:65535', 'leaves no port for requests'],
  ])('is refused with what is wrong: %j', (text, fact) => {
    const failure = failureOf(() => parseBind(text));
    expect(failure).toMatchObject({ code: 'FAILOVER_BAD_OPTION', exitCode: 2 });
    expect(failure.message).toContain(`Cannot use --bind: "${text}" ${fact}`);
  });
});

describe('an address for others', () => {
  it.each([
    ['db1.example', { host: 'db1.example', port: null }],
    ['db1:7400', { host: 'db1', port: 7400 }],
    ['10.0.0.5', { host: '10.0.0.5', port: null }],
    ['[fe80::1]:7400', { host: 'fe80::1', port: 7400 }],
  ])('%s', (text, expected) => {
    expect(parseAdvertise(text)).toEqual(expected);
  });

  it.each(['', '*', 'tcp://db1', 'fe80::1', '[x]', '-db', 'db1:0', 'db1:65535', 'a;b', 'a b'])(
    'is refused by name: %j',
    (text) => {
      expect(failureOf(() => parseAdvertise(text)).message).toContain('Cannot use --advertise:');
    },
  );
});
