// A file of groups: precedence, places, and everything that is refused, all at once.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadGroupFile } from '../../../src/config/group-file/load-group-file.ts';
import { FILE_LIMIT_BYTES } from '../../../src/config/group-file/read-text.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';
import { failureOf } from '../../support/failover-error.ts';
import { faultsOf, load } from './support.ts';

describe('settings', () => {
  it('takes a flag before the environment, that before the file, that before the default', () => {
    const text = `
stopGrace: 1s`;
    expect(faultsOf(`${text}\ngroups: {a: {command: x}}`)).toEqual([
      '2:1: Cannot use "stopGrace" in the file: there is no such key. Put it in a group, or in `defaults`.',
    ]);
    const file = `
quiet: true
logFormat: json
defaults: {stopGrace: 2s, drain: 3s}
groups:
  a: {command: x, drain: 4s, fenceGrace: 6s}
  b: {command: x}`;
    const env = { FAILOVER_FENCE_GRACE: '7s', FAILOVER_LOG_FORMAT: 'json', FAILOVER_GROUP: 'no' };
    const { groups, common } = load(file, { env, flags: { logFormat: 'pretty' } });
    expect(groups.get('a')).toMatchObject({ stopGraceMs: 2000, drainMs: 4000, fenceGraceMs: 7000 });
    expect(groups.get('b')).toMatchObject({ drainMs: 3000, group: 'b', quiet: true });
    expect([common.logFormat, groups.get('b')?.logFormat]).toEqual(['pretty', 'pretty']);
  });

  it('takes a command as words or for a shell, and numbers as they are written', () => {
    const { groups } = load('groups:\n  a: {command: [x, 1.10, true, 0x10]}\n  b: {command: x y}');
    expect(groups.get('a')?.command).toEqual(['x', '1.10', 'true', '0x10']);
    expect(groups.get('b')?.command).toEqual(['sh', '-c', 'x y']);
  });

  it('takes back with ~ what defaults say, and follows aliases', () => {
    const { groups } = load(`
x-words: &words [echo, hi]
defaults: {health: 'exec:true', command: *words}
groups: {a: , b: {health: ~}}`);
    expect([...groups.values()].map(({ health }) => health)).toEqual(['exec:true', null]);
    expect(groups.get('b')?.command).toEqual(['echo', 'hi']);
  });

  it('puts in variables, of the file first, and leaves to a shell what is for it', () => {
    const env = { HOST: 'h', PORT: '1', EMPTY: '' };
    const { groups } = load(
      `
variables: {PORT: 80, URL: 'http://\${HOST}:\${PORT}'}
groups:
  a: {command: ['\${URL}', '\${NO:-\${EMPTY:-d}}', '$HOME $$ $\${X}', '\${EMPTY}', '\${NO:-}']}
  \${b}: {command: x, heartbeatTimeout: '\${T:-3s}'}`.replace('${b}', 'b'),
      { env },
    );
    expect(groups.get('a')?.command).toEqual(['http://h:80', 'd', '$HOME $ ${X}', '', '']);
    expect(groups.get('b')?.heartbeatTimeoutMs).toBe(3000);
  });

  it('gives TCP to the groups that may be on several machines, and to no other', () => {
    const text = `
bind: tcp://127.0.0.1:7400
insecure: true
groups: {a: {command: x}, b: {command: x, lease: 'redis://h'}}`;
    const { groups, common } = load(text);
    expect([groups.get('a')?.bind, groups.get('b')?.bind]).toEqual(['ipc', 'tcp://127.0.0.1:7400']);
    expect(common.insecure).toBe(true);
    expect(faultsOf(text.replace(', lease:', ', demoteCommand:'))).toEqual([
      expect.stringMatching(/^2:7: Cannot run: with lease file \(default\) all nodes are on one/),
    ]);
    expect(load(text, { env: { FAILOVER_LEASE: 'redis://h' } }).groups.get('a')?.insecure).toBe(
      true,
    );
  });
});

describe('mistakes', () => {
  it('tells of all of them at once, each with line and column, the value and what is expected', () => {
    const text = `groups:
  a:
    command: x \${NOPE} y
    heartbeatTimout: 1s
    priority: x
    stopGrace: 5
    fence: maybe
    quiet: true
    preempt: 1
  b/c: {command: []}
  d: [x]
  e: {standby: hot, command: {}}
  f: {health: no, lease: 'redis://u:secret@h:x'}
  a: {command: x}
`;
    expect(faultsOf(text)).toEqual([
      expect.stringMatching(/^3:16: Cannot use command: "x \$\{NOPE\} y" needs NOPE, which is/),
      '4:5: Cannot use "heartbeatTimout" in group a: there is no such key. Did you mean `heartbeatTimeout`?',
      '5:15: Cannot use priority: "x" is not a whole number. Give priority a whole number from 0 to 1000000.',
      '6:16: Cannot use stopGrace: "5" is not a duration. Give stopGrace a duration: 250ms, 2s, 1m30s, 1h or 0.',
      '7:12: Cannot use fence: "maybe" is not a valid value. Give fence one of kill, kill-unless-stopped, none.',
      '8:5: Cannot use "quiet" in group a: there is no such key. Put it at the top level, next to `groups`: it applies to the whole process.',
      '9:14: Cannot use preempt: 1 is a number. Give true or false.',
      expect.stringMatching(/^10:3: Cannot use the group "b\/c": it has the character "\/"/),
      expect.stringMatching(
        /^10:18: Cannot use command: it is an empty list\. Use a list of words/,
      ),
      expect.stringMatching(/^11:3: Cannot run group d: there is neither a command/),
      '11:6: Cannot use group d: it is a list. Use keys with values.',
      expect.stringMatching(/^12:16: Cannot run group e: standby hot has no way to tell/),
      expect.stringMatching(/^12:30: Cannot use command: it is a map/),
      expect.stringMatching(/^13:15: Cannot use health: "no" has no known form/),
      expect.stringMatching(/^13:26: Cannot use lease: "redis:\/\/\*\*\*@h:x" /),
      expect.stringMatching(/^14:3: Cannot use a twice: it is already in line 2/),
    ]);
  });

  it('tells of at most twenty, and how many more there are', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `  g${String(i)}: {command: x, nope: 1}`);
    const faults = faultsOf(`groups:\n${lines.join('\n')}`);
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)).toBe('and 10 more');
  });

  it('names settings that contradict each other by their keys, with who said them', () => {
    const text =
      'defaults: {heartbeatInterval: 1s}\ngroups:\n  a: {command: x, heartbeatTimeout: 1s}';
    expect(faultsOf(text)).toEqual([
      '3:37: Cannot run group a: heartbeatTimeout 1s is shorter than 2 × heartbeatInterval 1s. ' +
        'Set heartbeatTimeout to at least 2s, or shorten heartbeatInterval.',
    ]);
    const [line] = faultsOf(text, { env: { FAILOVER_HEARTBEAT_TIMEOUT: '1500ms' } });
    expect(line).toContain('FAILOVER_HEARTBEAT_TIMEOUT=1500ms is shorter than');
    expect(faultsOf('groups: {a: {command: x, promoteSignal: USR1}}')[0]).toContain(
      '`standby: hot`',
    );
  });

  it('says of a flag or a variable what is wrong with that', () => {
    const text = 'groups: {a: {command: x}}';
    expect(faultsOf(text, { env: { FAILOVER_DRAIN: 'x' } })[0]).toMatch(
      /^Cannot use FAILOVER_DRAIN/,
    );
    expect(faultsOf(text, { flags: { bind: 'x' } })[0]).toMatch(/^Cannot use --bind/);
    expect(faultsOf(`prefix: maybe\n${text}`)).toEqual([
      expect.stringMatching(/^1:9: Cannot use prefix/),
    ]);
  });

  it('shows of a value with variables what is written, wherever it is wrong, and of a URL no password', () => {
    const env = { TOKEN: 's3cret', T: '2s' };
    const text = `groups:
  a:
    command: 'x \${TOKEN} \${NO:?say \${TOKEN}}'
    priority: '1\${TOKEN}'
    stopGrace: 'a\${TOKEN}'
    retryBackoff: '1s..\${TOKEN}'
    health: 'http//\${TOKEN}'
    lease: 'nope://u:\${TOKEN}@h'
    proxy: 'tcp://u:\${TOKEN}@h'
    target: 'tcp://u:plain@h:1/x'
  b: {command: x, heartbeatInterval: '\${T}', heartbeatTimeout: '\${T}'}
bind: 'x\${TOKEN}'
prefix: 'x\${TOKEN}'
`;
    const faults = faultsOf(text, { env });
    expect(faults).toHaveLength(11);
    expect(faults.join('\n')).not.toMatch(/s3cret|plain/);
    expect(faults[1]).toContain('Cannot use priority: "1${TOKEN}" is not a whole number. Give');
    expect(faults[2]).toContain(
      'Cannot use stopGrace: "a${TOKEN}" is invalid with its variables. Give stopGrace a duration',
    );
    expect(faults.join('\n')).toContain('heartbeatTimeout ${T} is shorter than');
    const { shown } = load(`groups:\n  a: {command: ['\${TOKEN}', 'http://u:p@h']}`, { env });
    expect(shown.get('a')).toEqual(['${TOKEN}', 'http://u:p@h']);
  });

  it('takes no address for two groups', () => {
    const text = `defaults: {target: 'tcp://127.0.0.1:1'}
groups:
  a: {command: x, proxy: ':81'}
  b: {command: x, proxy: '*:81'}
  c: {command: x, proxy: ':0'}
  d: {command: x, proxy: ':0'}
`;
    expect(faultsOf(text)).toEqual([
      '4:26: Cannot use proxy of group b: "*:81" is also used by group a (line 3, column 26). Give each its own address.',
    ]);
    const peers = "{command: x, lease: 'peers', peers: 'http://h:1', peerAddress: 'http://g:1'}";
    expect(faultsOf(`groups:\n  a: ${peers}\n  b: ${peers}\nsecretFile: /s`)).toEqual([
      expect.stringMatching(/^3:\d+: Cannot use peerAddress of group b: .* group a \(line 2,/),
    ]);
  });

  it.each([
    [':81', '127.0.0.1:81', false],
    ['127.0.0.1:81', ':81', false],
    ['0.0.0.0:81', '127.0.0.1:81', false],
    ['127.0.0.1:81', '0.0.0.0:81', false],
    ['[::1]:81', '[::]:81', false],
    ['127.0.0.1:81', '127.0.0.2:81', true],
    ['0.0.0.0:81', '[::1]:81', true],
    ['127.0.0.1:81', '127.0.0.1:82', true],
  ])('knows of %s and %s whether both can be listened at', (one, other, isRight) => {
    const text = `groups:\n  a: {command: x, proxy: '${one}'}\n  b: {command: x, proxy: '${other}'}\n`;
    const withHttp = `http: '${one}'\ngroups: {b: {command: x, proxy: '${other}'}}`;
    if (isRight) {
      expect([load(text).groups.size, load(withHttp).groups.size]).toEqual([2, 1]);
      return;
    }
    expect(faultsOf(text)).toEqual([
      `3:26: Cannot use proxy of group b: "${other}" and the address of group a are the same port here (line 2, column 26). Give each its own address.`,
    ]);
    expect(faultsOf(withHttp)).toEqual([
      `2:33: Cannot use proxy of group b: "${other}" and the address of http are the same port here (line 1, column 7). Give each its own address.`,
    ]);
    const byFlag = `groups: {b: {command: x, proxy: '${other}'}}`;
    expect(faultsOf(byFlag, { flags: { http: one } })[0]).toContain(
      'and the address of http are the same port',
    );
  });

  it('has what answers over HTTP for the process, and tells no group of it', () => {
    const groups = 'groups: {a: {command: x}}';
    const inFile = load(`http: 127.0.0.1:1\nhttpTokenFile: /t\n${groups}`);
    expect(inFile.common).toMatchObject({ http: '127.0.0.1:1', httpTokenFile: '/t' });
    expect(inFile.groups.get('a')).toMatchObject({ http: null, httpTokenFile: null });
    const env = { FAILOVER_HTTP_TOKEN_FILE: '/t', FAILOVER_HTTP: ':1' };
    const byEnvironment = load(`http: 127.0.0.1:2\n${groups}`, { env, flags: { http: '8008' } });
    expect(byEnvironment.common).toMatchObject({ http: '8008', httpTokenFile: '/t' });
    expect(byEnvironment.groups.get('a')).toMatchObject({ http: null, httpTokenFile: null });
    expect(load(`http: 8008\n${groups}`).common.http).toBe('8008');
    expect(faultsOf(`http: nowhere\n${groups}`)).toEqual([
      expect.stringMatching(/^1:7: Cannot use http: "nowhere" is not an address to listen on/),
    ]);
    expect(faultsOf(`httpTokenFile: /t\n${groups}`)).toEqual([
      expect.stringMatching(/^1:16: Cannot run: .*httpTokenFile/),
    ]);
    expect(faultsOf('groups: {a: {command: x, http: ":1"}}')).toEqual([
      expect.stringContaining(
        'Put it at the top level, next to `groups`: it applies to the whole process.',
      ),
    ]);
  });

  it('makes no more of all texts than sixteen million characters', () => {
    const long = 'x'.repeat(100_000);
    const names = Array.from({ length: 200 }, (_, i) => `  g${String(i)}: {command: '\${A}'}`);
    const faults = faultsOf(`variables: {A: '${long}'}\ngroups:\n${names.join('\n')}`);
    expect(faults[0]).toContain('makes the file exceed 16 MiB');
  });

  it('names a circle of variables, and refuses one that grows without end', () => {
    const circle = 'variables: {A: "${B}", B: "${C}", C: "${A}"}\ngroups: {a: {command: x}}';
    expect(faultsOf(circle)[0]).toContain('refers to itself: A → B → C → A');
    const names = 'a b c d e f g h i j k l m n o p'.split(' ');
    const grown = names.map((name, i) => {
      const before = `\${${names[i - 1] ?? ''}}`;
      return `  ${name}: "${i === 0 ? '0123456789' : before.repeat(10)}"`;
    });
    const faults = faultsOf(`variables:\n${grown.join('\n')}\ngroups: {a: {command: x}}`);
    expect(faults[0]).toContain('is longer than 131071 characters');
  });

  it.each([
    ['${', 'has ${ in an unknown form'],
    ['${1}', 'has ${ in an unknown form'],
    ['${A-b}', 'has ${ in an unknown form'],
    ['${A:-b', 'has ${ in an unknown form'],
    ['${A:?say which}', 'needs A: say which'],
    [`${'${A:-'.repeat(12)}x${'}'.repeat(12)}`, 'nests too deep'],
  ])('refuses %s', (text, fact) => {
    expect(faultsOf(`groups: {a: {command: '${text}'}}`)).toEqual([expect.stringContaining(fact)]);
  });

  it.each([
    ['an empty file', '', '1:1: Cannot run: there is no group'],
    ['no map', '- a', '1:1: Cannot use the file: it is a list'],
    ['two documents', 'groups: {}\n---\n', 'Keep a single document'],
    ['an alias of nothing', 'groups: {a: *b}', '1:13: Cannot follow *b'],
    ['an alias in itself', 'groups: &g {a: *g}', 'Cannot use "a" in group a'],
    ['what nests too deep', '['.repeat(100_000), 'it is nested too deeply'],
    ['a file that is too long', ' '.repeat(FILE_LIMIT_BYTES + 1), 'it is longer than 1MiB'],
    ['a group without a word', 'groups: {? [a] : {}}', 'Cannot use this as a key'],
  ])('refuses %s', (_, text, fact) => {
    expect(faultsOf(text).join('\n')).toContain(fact);
  });

  it('takes what is no file at the start, up to the limit, and not again', () => {
    const told = { flags: {}, env: {} };
    expect(failureOf(() => loadGroupFile({ ...told, path: '/dev/zero' })).message).toBe(
      'Cannot use /dev/zero: it is longer than 1MiB',
    );
    expect(failureOf(() => loadGroupFile({ ...told, path: '/dev' })).message).toBe(
      'Cannot use /dev: it is a directory',
    );
    const pipe = join(temporaryDirectory(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const again = { ...told, path: pipe, isAgain: true };
    expect(failureOf(() => loadGroupFile(again)).message).toBe(
      `Cannot use ${pipe}: it is a pipe or a device, which is read only at the start`,
    );
    const text = 'groups: {a: {command: x}}';
    const writer = spawn('sh', ['-c', `printf '%s' "$1" > "$2"`, 'sh', text, pipe]);
    onTestFinished(() => void writer.kill());
    expect([...loadGroupFile({ ...told, path: pipe }).groups.keys()]).toEqual(['a']);
  });

  it('refuses what is no text, or too many groups', () => {
    expect(faultsOf(Buffer.from([0xff, 0xfe, 0x41]))[0]).toContain('it is not a string in UTF-8');
    const names = Array.from({ length: 10_001 }, (_, i) => ` g${String(i)}: `);
    expect(faultsOf(`groups:\n${names.join('\n')}`)[0]).toContain('Cannot run 10001 groups');
  });

  it('follows a thousand million laughs no further than to its limit', () => {
    const lines = Array.from({ length: 9 }, (_, i) => {
      const items = Array.from({ length: 10 }, () => (i === 0 ? 'x' : `*a${String(i - 1)}`));
      return `x-${String(i)}: &a${String(i)} [${items.join(', ')}]`;
    });
    const text = `${lines.join('\n')}\ngroups: {a: {command: *a8}}`;
    expect(faultsOf(text).join('\n')).toMatch(/grow so much|one of its words is not a string/);
  });
});
