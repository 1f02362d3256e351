// Paths of sockets: short enough, in a directory that is nobody else's.
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  SOCKET_PATH_LIMIT_BYTES,
  endpointsIn,
  ensurePrivateDirectory,
  pathOfEndpoint,
  randomSocketName,
} from '../../src/transport/endpoints.ts';
import { temporaryDirectory } from './support/nodes.ts';

describe('endpointsIn', () => {
  it('gives each socket a path of its own', () => {
    expect(endpointsIn('/run/failover', '0a1b2c3d')).toEqual({
      bus: 'ipc:///run/failover/0a1b2c3d.bus',
      rpc: 'ipc:///run/failover/0a1b2c3d.rpc',
    });
  });

  it('takes the longest path that fits, counted in bytes', () => {
    const directory = `/${'ü'.repeat((SOCKET_PATH_LIMIT_BYTES - '/'.length - '/n.bus'.length) / 2)}`;
    const path = pathOfEndpoint(endpointsIn(directory, 'n').bus) ?? '';
    expect(SOCKET_PATH_LIMIT_BYTES - Buffer.byteLength(path)).toBeLessThan(2);
  });

  it('refuses a longer path and names it, its length and the limit', () => {
    const directory = `/${'x'.repeat(SOCKET_PATH_LIMIT_BYTES)}`;
    const path = `${directory}/n.bus`;
    expect(() => endpointsIn(directory, 'n')).toThrow(
      expect.objectContaining({
        code: 'FAILOVER_PATH_TOO_LONG',
        message: expect.stringMatching(
          new RegExp(`${path}.* ${path.length} bytes.* ${SOCKET_PATH_LIMIT_BYTES}$`),
        ) as string,
      }),
    );
  });
});

describe('pathOfEndpoint', () => {
  it('knows Unix domain sockets with an absolute path and nothing else', () => {
    expect(pathOfEndpoint('ipc:///run/a.bus')).toBe('/run/a.bus');
    for (const other of ['tcp://127.0.0.1:1', 'ipc://relative', 'ipc://@abstract', 'ipc://', '']) {
      expect(pathOfEndpoint(other)).toBeNull();
    }
    expect(pathOfEndpoint(`ipc:///${'x'.repeat(SOCKET_PATH_LIMIT_BYTES)}`)).toBeNull();
    expect(pathOfEndpoint('ipc:///a\0b')).toBeNull();
  });
});

describe('randomSocketName', () => {
  it('is eight hexadecimal digits, and another one each time', () => {
    const names = Array.from({ length: 50 }, randomSocketName);
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}$/);
  });
});

describe('ensurePrivateDirectory', () => {
  it('makes a missing directory, and its parents, for this user alone', () => {
    const directory = join(temporaryDirectory(), 'a', 'b');
    ensurePrivateDirectory(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    ensurePrivateDirectory(directory);
  });

  it.each([0o755, 0o770, 0o701])('refuses a directory with mode %o', (mode) => {
    const directory = join(temporaryDirectory(), 'open');
    mkdirSync(directory);
    chmodSync(directory, mode);
    expect(() => {
      ensurePrivateDirectory(directory);
    }).toThrow(expect.objectContaining({ code: 'FAILOVER_NOT_PERMITTED' }));
  });

  it('refuses what is no directory', () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'file');
    const link = join(directory, 'link');
    writeFileSync(file, '');
    symlinkSync(directory, link);
    for (const path of [file, join(file, 'below'), link]) {
      expect(() => {
        ensurePrivateDirectory(path);
      }).toThrow(expect.objectContaining({ code: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY' }));
    }
  });

  it('says what decides where sockets go, which is not --state-dir', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const hint = expect.stringMatching(
      /XDG_RUNTIME_DIR.* regardless of --state-dir|\/run\/failover regardless of --state-dir/,
    ) as string;
    for (const path of [file, join(file, 'below')]) {
      expect(() => {
        ensurePrivateDirectory(path);
      }).toThrow(expect.objectContaining({ hint }));
    }
    expect(() => endpointsIn(`/${'x'.repeat(107)}`, 'n')).toThrow(
      expect.objectContaining({ hint }),
    );
  });
});
