// What real nodes and commands say when something is in the way, or ends.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Group } from '../support/process-group.ts';
import { ANOTHER_USER, mayBeAnotherUser } from '../support/another-user.ts';
import { inGroup } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';

const PRETTY = { options: { 'log-format': 'pretty' } };

describe('a node', () => {
  it('says the reason of its end once, and its exit code', async () => {
    await inGroup(async (group) => {
      const a = await launchPretty(group, 'a');
      await group.client('stop');
      await group.ends(a);
      const said = a.stray.trim().split('\n');
      expect(said.slice(-3).map(sentenceOf)).toEqual([
        'Stop requested; stepping down: failover stop',
        'Stepped down; stopping',
        'Exited with code 0',
      ]);
    });
  });

  it('says that the second Ctrl-C kills, and nothing to a third', async () => {
    await inGroup(async (group) => {
      const stubborn = 'trap "" INT TERM; echo ready; while :; do sleep 0.05; done';
      const a = await launchPretty(group, 'a', stubborn);
      await group.until('the command to run', () => a.output.includes('ready'));
      a.kill('SIGINT');
      await group.until('the first answer', () =>
        a.stray.includes('Got SIGINT: shutting down gracefully'),
      );
      a.kill('SIGINT');
      await group.until('the second answer', () => a.stray.includes('Got SIGINT again: killing'));
      a.kill('SIGINT');
      await group.ends(a);
      expect(a.stray.match(/Got SIGINT/g)).toHaveLength(2);
    });
  });

  it('says nothing of variables that it does not read where their flags are given', async () => {
    await inGroup(async (group) => {
      const env = { FAILOVER_GROUP: 'web', FAILOVER_STATE_DIR: group.path('other') };
      const a = await group.start('a', { env });
      await group.reaches(a, 'serving');
      // Both flags were given: the variables are those of a workload that starts a node of its own.
      expect(a.warnings.filter((text) => text.includes('does not read'))).toEqual([]);
    });
  });

  it.runIf(mayBeAnotherUser)(
    'names what decides where its sockets go when they can not be made',
    async () => {
      await inGroup(
        async (group) => {
          const closed = group.path('closed');
          mkdirSync(closed);
          chmodSync(closed, 0o555);
          const a = group.launch('a', { env: { XDG_RUNTIME_DIR: closed } });
          expect(await group.ends(a)).toBe(2);
          expect(a.stray).toBe(
            `failover: Cannot make the socket directory ${closed}/failover: permission denied\nPoint XDG_RUNTIME_DIR at a directory of this user with a short path: sockets go there regardless of --state-dir.\n`,
          );
        },
        { asUser: ANOTHER_USER },
      );
    },
  );
});

describe('a stopped node', () => {
  it('is shown with the way to continue it, and is not promoted', async () => {
    await inGroup(async (group) => {
      const [, b] = await group.startAll(['a', 'b']);
      b.kill('SIGSTOP');
      await group.until('b to be stopped', () => group.stateOf(b.pid) === 'T');
      const remedy = `Continue it with \`fg\` in its terminal, or with \`kill -CONT ${b.pid}\`.`;
      expect((await group.client('status')).stdout).toContain(remedy);
      expect(await group.client('promote', 'b')).toMatchObject({
        code: 5,
        stderr: `failover: Cannot promote b: its process is stopped\n${remedy}\n`,
      });
      b.kill('SIGCONT');
    });
  });
});

/** Its log is no JSON: all of it is stray. */
async function launchPretty(group: Group, id: string, run?: string): Promise<NodeProcess> {
  const node = group.launch(id, { ...PRETTY, ...(run === undefined ? {} : { run }) });
  await group.until('it to be primary', () => node.stray.includes('This node is now primary'));
  return node;
}

/** A line of the log without its time, node and role. */
function sentenceOf(line: string): string {
  return line.replace(/^\S+ \S+ {2}\S+ +/, '');
}

describe('a group of another user', () => {
  it.runIf(mayBeAnotherUser)('is refused by each command in the same words', async () => {
    await inGroup(
      async (group) => {
        mkdirSync(group.stateDir);
        mkdirSync(join(group.stateDir, 'theirs'), { mode: 0o700 });
        const fact = `${group.stateDir}/theirs: it belongs to user 0, not to this user, ${ANOTHER_USER}`;
        for (const command of ['status', 'explain', 'wait', 'promote', 'stop', 'pause', 'check']) {
          const { code, stderr } = await group.client(command, '--group', 'theirs');
          expect([command, code, stderr]).toEqual([
            command,
            2,
            `failover: Cannot read ${fact}\nRun it as the user who started the group, or as root, or point --state-dir at another directory.\n`,
          ]);
        }
      },
      { asUser: ANOTHER_USER },
    );
  });
});

describe('a misspelt group', () => {
  it('is told of by each command that would otherwise act on it', async () => {
    await inGroup(async (group) => {
      await group.start('a');
      const misspelt = ['--group', 'gg'];
      const [paused, stopped, demoted] = [
        await group.client('pause', ...misspelt),
        await group.client('stop', '--group', 'ggg'),
        await group.client('demote', '--group', 'ggg'),
      ];
      const place = `The groups in ${group.stateDir} are: g, gg: give one of them with`;
      expect(paused.stderr).toContain('No node of group gg has ever run');
      for (const { stderr } of [stopped, demoted]) expect(stderr).toContain(place);
      expect(demoted).toMatchObject({ code: 3 });
    });
  });
});
