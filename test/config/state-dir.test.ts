// Default directories: root's, the user's, and what of the environment counts.
import { describe, expect, it } from 'vitest';
import {
  defaultRuntimeDir,
  defaultStateDir,
  otherDefaultStateDir,
  ownSurroundings,
} from '../../src/config/state-dir.ts';
import type { Surroundings } from '../../src/config/state-dir.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/srv/ada:/bin/sh\nbad:x\n';

function around(uid: number, env: Surroundings['env'] = {}): Surroundings {
  return { uid, env, home: uid === 0 ? '/root' : '/home/bob', readPasswd: () => PASSWD };
}

describe('defaultStateDir', () => {
  it('is under the home of a user', () => {
    expect(defaultStateDir(around(1000))).toBe('/home/bob/.local/state/failover');
  });

  it('follows XDG_STATE_HOME, unless it is empty or relative', () => {
    expect(defaultStateDir(around(1000, { XDG_STATE_HOME: '/x' }))).toBe('/x/failover');
    for (const XDG_STATE_HOME of ['', 'x', './x']) {
      expect(defaultStateDir(around(1000, { XDG_STATE_HOME }))).toBe(
        '/home/bob/.local/state/failover',
      );
    }
  });

  it("is the system's for root, also with a user's environment", () => {
    expect(defaultStateDir(around(0, { XDG_STATE_HOME: '/x' }))).toBe('/var/lib/failover');
  });
});

describe('otherDefaultStateDir', () => {
  it("is root's for a user", () => {
    expect(otherDefaultStateDir(around(1000))).toBe('/var/lib/failover');
  });

  it('is the place of the user who called sudo, found by the user database', () => {
    expect(otherDefaultStateDir(around(0, { SUDO_USER: 'ada' }))).toBe(
      '/srv/ada/.local/state/failover',
    );
  });

  it.each([undefined, '', 'root', 'nobody-here', 'bad'])('is unknown for root from %s', (user) => {
    expect(otherDefaultStateDir(around(0, { SUDO_USER: user }))).toBeNull();
  });

  it('is unknown where the user database can not be read', () => {
    const readPasswd = (): string => {
      throw new Error('EACCES');
    };
    expect(otherDefaultStateDir({ ...around(0, { SUDO_USER: 'ada' }), readPasswd })).toBeNull();
  });
});

describe('defaultRuntimeDir', () => {
  it.each([
    [1000, {}, '/tmp/failover-1000'],
    [1000, { XDG_RUNTIME_DIR: '/run/user/1000' }, '/run/user/1000/failover'],
    [1000, { XDG_RUNTIME_DIR: 'run' }, '/tmp/failover-1000'],
    [0, { XDG_RUNTIME_DIR: '/run/user/1000' }, '/run/failover'],
  ])('of uid %d with %j is %s', (uid, env, directory) => {
    expect(defaultRuntimeDir(around(uid, env))).toBe(directory);
  });
});

it('reads the surroundings of this process', () => {
  const own = ownSurroundings();
  expect(own.uid).toBe(process.getuid?.());
  expect(own.readPasswd()).toContain('root:');
  expect(own.env).toBe(process.env);
});
