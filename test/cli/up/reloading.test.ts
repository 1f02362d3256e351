// What a new file changes: all that it says or nothing, and one more time where it was asked for meanwhile.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Reloading } from '../../../src/cli/up/reloading.ts';
import { loadGroupFile } from '../../../src/config/group-file/load-group-file.ts';
import type { GroupFile } from '../../../src/config/group-file/load-group-file.ts';
import type { RunOptions } from '../../../src/config/load.ts';
import { temporaryDirectory } from '../../lease/support/fixtures.ts';

const FILE = 'groups: {a: {command: x}}\n';

function scene(): {
  readonly reloading: Reloading;
  readonly write: (text: string) => void;
  readonly said: string[];
  readonly notRunning: string[];
  readonly change: ReturnType<typeof vi.fn<(groups: GroupFile['groups']) => Promise<void>>>;
} {
  const path = join(temporaryDirectory(), 'f.yaml');
  const write = (text: string): void => {
    writeFileSync(path, text);
  };
  const read = (): GroupFile => loadGroupFile({ path, flags: {}, env: {} });
  write(FILE);
  const said: string[] = [];
  const say = ({ event, reason }: { readonly event: string; readonly reason: string }): void => {
    said.push(`${event}: ${reason.replaceAll(path, 'f.yaml')}`);
  };
  const change = vi.fn<(groups: GroupFile['groups']) => Promise<void>>(() => Promise.resolve());
  const differences = (): { started: string[]; stopped: string[]; restarted: string[] } => ({
    ...{ started: ['b'], stopped: [], restarted: [] },
  });
  const changed = (groups: GroupFile['groups']): RunOptions[] => [...groups.values()];
  const notRunning: string[] = [];
  const reloading = new Reloading({
    ...{ file: read(), read, log: { info: say, warn: say, error: say } },
    fleet: {
      ...{ change, changed, differences, notRunning, ending: ['a'], isEnding: false },
      untilDone: (work) => work(),
    },
  });
  return { reloading, write, said, change, notRunning };
}

describe('reloading', () => {
  it('takes what the file says, and says what that changes', async () => {
    const { reloading, write, said, change } = scene();
    write('groups: {a: {command: x}, b: {command: y}}');
    await reloading.reload();
    expect([...(change.mock.lastCall?.[0].keys() ?? [])]).toEqual(['a', 'b']);
    expect(said).toEqual([
      'reloading: Reloaded f.yaml: starting b',
      'reloaded: The groups match f.yaml',
    ]);
  });

  it('names what is not running all the same', async () => {
    const { reloading, said, notRunning } = scene();
    notRunning.push('a', 'b');
    await reloading.reload();
    expect(said.at(-1)).toBe('reloaded: The groups match f.yaml; not running a, b');
  });

  it('changes nothing for a file with a mistake, and says where that is', async () => {
    const { reloading, write, said, change } = scene();
    write(`${FILE}nope: 1`);
    await reloading.reload();
    expect(change).not.toHaveBeenCalled();
    expect(said[0]).toContain('Nothing changed: Cannot use f.yaml: 1 thing is wrong in it');
    expect(said[1]).toContain('f.yaml:2:1: Cannot use "nope"');
  });

  it('changes nothing where a group could not start here, and says why', async () => {
    const { reloading, write, said, change } = scene();
    write('groups: {a: {command: x}, b: {command: [/no/such/program]}}');
    await reloading.reload();
    expect(change).not.toHaveBeenCalled();
    expect(said).toEqual([
      'reload-refused: Nothing changed: Cannot use f.yaml: 1 group of it could not start here. ' +
        'Fix that, or change the file.',
      expect.stringContaining(
        'reload-refused: b: Cannot run /no/such/program: the file does not exist',
      ),
    ]);
  });

  it.each([
    ['stateDir: /x', 'stateDir'],
    ['node: n', 'node'],
    ['quiet: true', 'quiet'],
    ['logFormat: json\nprefix: true', 'logFormat, prefix'],
  ])('refuses %s, which is of the process', async (line, keys) => {
    const { reloading, write, said, change } = scene();
    write(`${FILE}${line}`);
    await reloading.reload();
    expect(change).not.toHaveBeenCalled();
    expect(said).toEqual([
      expect.stringContaining(`Cannot apply f.yaml while running: ${keys} changed`),
    ]);
  });

  it('is done once more, with the file as it is then, however often it was asked for meanwhile', async () => {
    const { reloading, write, change } = scene();
    let finish: () => void = () => undefined;
    change.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const first = reloading.reload();
    write('groups: {c: {command: x}}');
    await Promise.all([reloading.reload(), reloading.reload(), reloading.reload()]);
    await vi.waitFor(() => {
      expect(change).toHaveBeenCalledTimes(1);
    });
    finish();
    await first;
    expect(change.mock.calls.map(([groups]) => [...groups.keys()])).toEqual([['a'], ['c']]);
  });
});
