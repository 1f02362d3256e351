// What files with keys may be, and what is said of those that may not.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  readAuthorizedKeys,
  readKeyFile,
  readSecretFile,
  SECRET_KEY_COMMENT,
} from '../../src/keys/key-files.ts';
import { generateKeyPair } from '../../src/keys/key-pair.ts';
import { failureOf } from '../support/failover-error.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failover-keys-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function file(content: string | Buffer, mode = 0o600): string {
  const path = join(directory, 'file');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const { publicKey, secretKey } = generateKeyPair();

describe('the file of a secret key', () => {
  it('has one, with comments beside it', () => {
    expect(readKeyFile(file(`# mine\n\n${secretKey}\r\n`))).toEqual({
      publicKey,
      secretKey,
    });
  });

  it.each([
    ['nothing', ''],
    ['two keys', `${secretKey}\n${secretKey}\n`],
    ['a commented key', `# ${secretKey}\n`],
    ['something else', 'hello\n'],
  ])('with %s is refused without its content', (_, content) => {
    const { message, hint, exitCode } = failureOf(() => readKeyFile(file(content)));
    expect(message).toMatch(/^Cannot use --key-file \S+: it has no secret key$/);
    expect(hint).toContain('failover keygen');
    expect(exitCode).toBe(2);
  });

  it('is none that has the public half, as keygen writes it: everybody would know the secret', () => {
    const { message, hint } = failureOf(() => readKeyFile(file(`${publicKey} host\n`)));
    expect(message).toMatch(/: its key is followed by a comment, like a public key$/);
    expect(message).not.toContain(publicKey);
    expect(hint).toContain('without `.pub`');
  });

  it.each([0o604, 0o640, 0o660, 0o644])('of mode %o is refused', (mode) => {
    const path = file(secretKey, mode);
    const { message, hint } = failureOf(() => readKeyFile(path));
    expect(message).toContain(
      `others have access to it (mode ${mode.toString(8).padStart(4, '0')})`,
    );
    expect(hint).toBe(`Run \`chmod 600 ${path}\`.`);
  });

  it('that is not there, is no file or is too long is refused by name', () => {
    expect(failureOf(() => readKeyFile('/nowhere')).message).toBe(
      'Cannot use --key-file /nowhere: the file does not exist',
    );
    expect(failureOf(() => readKeyFile(directory)).message).toContain('it is not a regular file');
    expect(failureOf(() => readKeyFile(file('x'.repeat(5000)))).message).toContain('5000 bytes');
    const pipe = join(directory, 'pipe');
    spawnSync('mkfifo', ['-m', '600', pipe]);
    expect(failureOf(() => readKeyFile(pipe)).message).toContain('it is not a regular file');
  });

  it.runIf(process.getuid?.() === 0)('of another user is refused', () => {
    const path = file(secretKey);
    chownSync(path, 12_345, 12_345);
    expect(failureOf(() => readKeyFile(path)).message).toContain('it belongs to user 12345');
  });
});

describe('the list of public keys', () => {
  it('has one a line, with comments after it and between them', () => {
    const other = generateKeyPair().publicKey;
    const content = `# all nodes\n${publicKey} host a\n\n#${other}\n  ${other}\n${other}\n`;
    expect([...readAuthorizedKeys(file(content, 0o644))]).toEqual([publicKey, other]);
  });

  it('with a line that is neither is refused with its number', () => {
    const { message, hint } = failureOf(() => readAuthorizedKeys(file(`${publicKey}\nx y\n`)));
    expect(message).toMatch(/^Cannot use --authorized-keys \S+: line 2 has no public key$/);
    expect(hint).toContain('one public key per line');
  });

  it('is not the file of a secret key, as keygen writes it or with its public half beside it', () => {
    for (const content of [`${SECRET_KEY_COMMENT}\n${secretKey}\n`, secretKey]) {
      const path = file(content);
      if (content === secretKey) writeFileSync(`${path}.pub`, `${publicKey} host\n`);
      const { message, hint } = failureOf(() => readAuthorizedKeys(path));
      expect(message).toMatch(/: it contains a secret key, but only public keys belong here$/);
      expect(message + hint).not.toContain(secretKey);
      expect(hint).toContain('`.pub` files');
    }
  });

  it('that others may write is refused', () => {
    const { message } = failureOf(() => readAuthorizedKeys(file(publicKey, 0o666)));
    expect(message).toContain('others can write to it (mode 0666)');
  });
});

describe('the file of a secret', () => {
  it('has any bytes but the end of its last line', () => {
    const secret = Buffer.from([...Array(32).keys()]);
    expect(readSecretFile(file(secret))).toEqual(secret);
    expect(readSecretFile(file(Buffer.concat([secret, Buffer.from('\n')])))).toEqual(secret);
  });

  it.each([
    ['a secret key', `${SECRET_KEY_COMMENT}\n${secretKey}\n`],
    ['a public key', `${publicKey} host\n`],
    ['public keys', `# all\n${publicKey} a\n${generateKeyPair().publicKey}\n`],
  ])('is not that of %s', (_, content) => {
    const { message, hint } = failureOf(() => readSecretFile(file(content)));
    expect(message).toMatch(/: it contains node keys, but a shared secret belongs here$/);
    expect(hint).toContain('openssl rand -base64 32');
  });

  it('may have what could be a key, and is no file of keys', () => {
    const text = 'abcdefghij'.repeat(4);
    expect(readSecretFile(file(`${text}\n`)).toString()).toBe(text);
  });

  it('with nothing but white space is refused', () => {
    const { message } = failureOf(() => readSecretFile(file(`${' \t'.repeat(20)}\n\n`)));
    expect(message).toMatch(/: it contains only white space$/);
  });

  it('that is short, or open to others, is refused', () => {
    expect(failureOf(() => readSecretFile(file('short\n'))).message).toContain(
      '5 bytes, fewer than 16',
    );
    expect(failureOf(() => readSecretFile(file('x'.repeat(32), 0o644))).message).toContain('0644');
  });
});
