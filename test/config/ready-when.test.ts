// Readiness conditions: the four forms, and what is wrong with anything else.
import { describe, expect, it } from 'vitest';
import { parseReadyWhen } from '../../src/config/ready-when.ts';
import { failureOf } from '../support/failover-error.ts';

describe('parseReadyWhen', () => {
  it.each([
    ['http://localhost:8080/health', { kind: 'http', url: 'http://localhost:8080/health' }],
    ['https://[::1]:8443/', { kind: 'http', url: 'https://[::1]:8443/' }],
    ['tcp://localhost:5432', { kind: 'tcp', host: 'localhost', port: 5432 }],
    ['tcp://[::1]:1', { kind: 'tcp', host: '::1', port: 1 }],
    ['exec:pg_isready -q', { kind: 'exec', command: 'pg_isready -q' }],
    ['log:/listening on \\d+/', { kind: 'log', pattern: /listening on \d+/ }],
    ['log:/a/b/i', { kind: 'log', pattern: /a\/b/i }],
  ])('reads %s', (text, expected) => {
    expect(parseReadyWhen(text)).toEqual(expected);
  });

  it.each([
    ['', 'has no known form'],
    ['localhost:80', 'has no known form'],
    ['http:/x', 'is not a URL'],
    ['http://', 'is not a URL'],
    ['tcp://localhost', 'is not tcp://HOST:PORT'],
    ['tcp://::1:80', 'is not tcp://HOST:PORT'],
    ['tcp://a:0', 'has the port 0, not 1 to 65535'],
    ['tcp://a:65536', 'has the port 65536, not 1 to 65535'],
    ['exec: ', 'has no command'],
    ['log:listening', 'is not log:/REGEXP/FLAGS'],
    ['log://', 'is not log:/REGEXP/FLAGS'],
    ['log:/(/', 'is not a regular expression: '],
    ['log:/a/ii', 'is not a regular expression: '],
    ['log:/a/g', 'has the flag g or y'],
  ])('refuses %j: it %s', (text, fact) => {
    const error = failureOf(() => parseReadyWhen(text));
    expect(error.code).toBe('FAILOVER_BAD_OPTION');
    expect(error.message).toContain(`Cannot use --ready-when: "${text}" ${fact}`);
    expect(error.hint).toContain('tcp://HOST:PORT');
  });
});
