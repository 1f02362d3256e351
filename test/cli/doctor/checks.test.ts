// Each check of the doctor finds what is wrong where something is, by function where that can be had here.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  judgeLeftovers,
  judgeNodes,
  judgeOther,
  judgeVersions,
} from '../../../src/cli/doctor/checks/group.ts';
import { judgeNode, loadNotifier, loadZeroMq } from '../../../src/cli/doctor/checks/software.ts';
import {
  judgeInodes,
  judgeSpace,
  lookAtFileSystem,
} from '../../../src/cli/doctor/checks/state-directory.ts';
import { judgeClock, judgeRoundTrip } from '../../../src/cli/doctor/checks/store.ts';
import { CHECKS } from '../../../src/cli/doctor/checks.ts';
import { runChecks } from '../../../src/cli/doctor/run-checks.ts';
import { generateKeyPair } from '../../../src/keys/key-pair.ts';
import { answering, silentNode, snapshotOf, statusOf } from '../support/snapshot.ts';
import { find, placeWith, temporaryDirectory } from './place.ts';

describe('a machine on which nothing is wrong', () => {
  // Of a machine that others use too this is not known.
  const MAY_WARN = new Set(['cpu-pressure', 'memory', 'wall-clock', 'disk-space']);

  it('passes every check that applies, and nothing is left behind', async () => {
    const stateDir = temporaryDirectory();
    const place = placeWith({ stateDir, runtimeDir: temporaryDirectory() });
    const found = await runChecks(CHECKS, place);
    place.workshop.clear();
    const bad = found.filter(({ status, id }) => status !== 'ok' && !MAY_WARN.has(id));
    expect(bad).toEqual([]);
    expect(found.map(({ id }) => id)).toContain('lock-inheritance');
    expect(readdirSync(stateDir)).toEqual([]);
  });

  it('may have no state directory yet: it is not made', async () => {
    const stateDir = join(temporaryDirectory(), 'not', 'there');
    const place = placeWith({ stateDir, runtimeDir: temporaryDirectory() });
    const found = await runChecks(CHECKS, place);
    place.workshop.clear();
    expect(found.filter(({ status }) => status === 'failure')).toEqual([]);
    expect(found.find(({ id }) => id === 'state-directory')?.fact).toContain('does not exist yet');
    expect(existsSync(join(stateDir, '..'))).toBe(false);
  });
});

describe('the table', () => {
  it('has each id once, in the form of a name, with a question', () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, question } of CHECKS) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(question).toMatch(/^[A-Z].*\?/);
    }
  });
});

describe('the state directory', () => {
  it('that is a file is refused', async () => {
    const stateDir = join(temporaryDirectory(), 'file');
    writeFileSync(stateDir, '');
    expect(await find('state-directory', placeWith({ stateDir }))).toMatchObject({
      status: 'failure',
      fact: `${stateDir} is not a directory`,
    });
  });

  it('in which nothing can be made fails once, and what needs it is not tried', async () => {
    const place = placeWith({ stateDir: '/proc/failover' });
    expect(await find('state-directory', place)).toMatchObject({ status: 'failure' });
    for (const id of ['kernel-lock', 'lock-inheritance', 'lockfile', 'inotify']) {
      const found = await find(id, place);
      expect(found.status).toBe('warning');
      expect(found.fact).toMatch(/^Not tried: nothing can be created in \/proc/);
      expect(found.advice).toContain('`state-directory`');
    }
  });

  it('that others may write in is warned of, unless only their own', async () => {
    const stateDir = temporaryDirectory();
    chmodSync(stateDir, 0o777);
    const place = placeWith({ stateDir });
    expect(await find('state-directory', place)).toMatchObject({
      status: 'warning',
      advice: `Run \`chmod go-w ${stateDir}\`.`,
    });
    chmodSync(stateDir, 0o1777);
    expect((await find('state-directory', place)).status).toBe('ok');
  });

  it('with a directory of the group that is open to others is warned of', async () => {
    const stateDir = temporaryDirectory();
    mkdirSync(join(stateDir, 'web'));
    chmodSync(join(stateDir, 'web'), 0o755);
    const found = await find('state-directory', placeWith({ stateDir }));
    expect(found).toMatchObject({ status: 'warning' });
    expect(found.fact).toContain('(mode 0755)');
  });

  it('on a file system that other hosts see fails', async () => {
    const refusal = await runChecks(
      [{ id: 'x', question: '', run: () => lookAtFileSystem('/', () => 0x6969) }],
      placeWith(),
    );
    expect(refusal[0]).toMatchObject({ status: 'failure' });
    expect(refusal[0]?.fact).toContain('its file system is nfs');
    expect(lookAtFileSystem('/', () => 0xef53).fact).toBe('/ is on ext4, which is local');
  });

  it.each([
    [100 * 256, 'ok', '100 MiB'],
    [63 * 256, 'warning', '63 MiB'],
    [255, 'failure', '0 MiB'],
  ])('with %i free blocks of 4 KiB: %s', (bavail, status, shown) => {
    const found = judgeSpace('/x', { bavail, bsize: 4096, files: 9, ffree: 9 });
    expect(found.status).toBe(status);
    expect(found.fact).toContain(shown);
  });

  it.each([
    [1_000, 'ok'],
    [999, 'warning'],
    [15, 'failure'],
  ])('with %i free inodes: %s', (ffree, status) => {
    expect(judgeInodes('/x', { bavail: 1, bsize: 1, files: 5_000, ffree }).status).toBe(status);
    expect(judgeInodes('/x', { bavail: 1, bsize: 1, files: 0, ffree: 0 }).status).toBe('ok');
  });
});

describe('sockets', () => {
  it('have a path that is not too long', async () => {
    const runtimeDir = join('/tmp', 'x'.repeat(110));
    const place = placeWith({ runtimeDir });
    for (const id of ['socket-path', 'socket']) {
      const found = await find(id, place);
      expect(found).toMatchObject({ status: 'failure' });
      expect(found.fact).toContain('the limit is');
    }
    expect(existsSync(runtimeDir)).toBe(false);
  });

  it('are bound in a private directory', async () => {
    const runtimeDir = temporaryDirectory();
    chmodSync(runtimeDir, 0o755);
    expect(await find('socket', placeWith({ runtimeDir }))).toMatchObject({
      status: 'failure',
      advice: `Run \`chmod 700 ${runtimeDir}\`, or use another directory.`,
    });
  });

  it('leave no file, and the directory: a node that starts meanwhile may be about to use it', async () => {
    const runtimeDir = join(temporaryDirectory(), 'a', 'b');
    const place = placeWith({ runtimeDir });
    expect(await find('socket', place)).toMatchObject({ status: 'ok' });
    place.workshop.clear();
    expect(readdirSync(runtimeDir)).toEqual([]);
  });
});

describe('the software', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.3', 'failure'],
    ['18.20.0', 'failure'],
    ['23.1.0', 'warning'],
  ])('Node.js %s: %s', (version, status) => {
    expect(judgeNode(version).status).toBe(status);
  });

  it('fails without the binding of ZeroMQ, with the first line of why', async () => {
    const broken = (): Promise<never> => Promise.reject(new Error('invalid ELF header\nat x'));
    expect(await loadZeroMq(broken)).toMatchObject({
      status: 'failure',
      fact: 'The binding of ZeroMQ cannot be loaded: invalid ELF header',
    });
    expect(await loadNotifier(broken)).toMatchObject({ status: 'warning' });
  });
});

describe('files', () => {
  it('of keys and secrets are read as a node reads them', async () => {
    const { publicKey, secretKey } = generateKeyPair();
    const directory = temporaryDirectory();
    const keyFile = join(directory, 'node.key');
    const [authorizedKeys, secretFile] = [join(directory, 'list'), join(directory, 'secret')];
    writeFileSync(keyFile, `${secretKey}\n`, { mode: 0o600 });
    writeFileSync(authorizedKeys, `${publicKey} host\n`, { mode: 0o644 });
    writeFileSync(secretFile, 'x'.repeat(20), { mode: 0o600 });
    const place = placeWith({ files: { keyFile, authorizedKeys, secretFile } });
    const found = await Promise.all(
      ['key-file', 'authorized-keys', 'secret-file'].map((id) => find(id, place)),
    );
    expect(found.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    expect(JSON.stringify(found)).not.toContain(secretKey);
    chmodSync(keyFile, 0o644);
    expect(await find('key-file', place)).toMatchObject({
      status: 'failure',
      advice: `Run \`chmod 600 ${keyFile}\`.`,
    });
    chmodSync(secretFile, 0o640);
    expect(await find('secret-file', place)).toMatchObject({ status: 'failure' });
    writeFileSync(authorizedKeys, '# nobody\n');
    expect(await find('authorized-keys', place)).toMatchObject({ status: 'warning' });
  });

  it('that were not named are not looked at', async () => {
    await expect(find('key-file', placeWith())).rejects.toThrow('does not apply');
  });
});

describe('the server of the lease', () => {
  it('that is slow, or goes by another time, is warned of', () => {
    expect(judgeRoundTrip('x', 1).status).toBe('ok');
    expect(judgeRoundTrip('x', 126)).toMatchObject({ status: 'warning' });
    expect(judgeClock(-999).fact).toBe("Its wall clock is 999 ms behind this machine's");
    expect(judgeClock(5_000)).toMatchObject({ status: 'warning' });
  });
});

describe('the group', () => {
  it('is well where all answer', () => {
    const snapshot = snapshotOf('a', [answering(statusOf('a')), answering(statusOf('b'))]);
    expect(judgeNodes(snapshot)).toMatchObject({ status: 'ok' });
    expect(judgeVersions(snapshot, '0.1.0').status).toBe('ok');
    expect(judgeLeftovers(snapshot).fact).toBe('Nothing was left behind');
  });

  it('has a node that does not answer, and says why; another can start all the same', () => {
    const snapshot = snapshotOf('a', [silentNode('b', 'unresponsive', 'its process is stopped')]);
    const found = judgeNodes(snapshot);
    expect(found).toMatchObject({ status: 'warning' });
    expect(found.fact).toContain('its process is stopped');
    expect(found.advice).toContain('kill -CONT');
  });

  it('has nodes of several versions', () => {
    const nodes = [answering(statusOf('a')), answering(statusOf('b'), { version: '0.2.0' })];
    expect(judgeVersions(snapshotOf('a', nodes), '0.2.0')).toMatchObject({
      status: 'warning',
      fact: 'Versions differ (0.2.0: this command, b; 0.1.0: a)',
    });
  });

  it('has something left of a node that is gone', () => {
    const gone = { ...silentNode('b', 'gone'), leftovers: [77, 78] };
    expect(judgeLeftovers(snapshotOf(null, [gone]))).toMatchObject({
      status: 'warning',
      fact: 'b ended and left pids 77, 78 running',
    });
    expect(judgeLeftovers(snapshotOf(null, [silentNode('c', 'gone')])).fact).toContain(
      'c ended unexpectedly',
    );
  });

  it('is in the other default directory too', () => {
    const other = temporaryDirectory();
    const place = { group: 'web', stateDir: '/x' };
    expect(judgeOther(place, other).status).toBe('ok');
    mkdirSync(join(other, 'web'));
    expect(judgeOther(place, other)).toMatchObject({ status: 'warning' });
    expect(judgeOther(place, null).status).toBe('ok');
  });
});
