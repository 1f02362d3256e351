// `failover run` whose log can not be written: no node is left running that obeys nobody.
import { beforeEach, expect, it, vi } from 'vitest';
import { run } from '../../../src/cli/commands/run.ts';
import { loadRunOptions } from '../../../src/config/load.ts';
import { FailoverNode } from '../../../src/runtime/failover-node.ts';

const log = vi.hoisted(() => ({ canLoad: true }));

vi.mock('../../../src/cli/render/json-log.ts', () => ({
  createJsonLog: () => {
    if (!log.canLoad) throw new Error('Cannot find module pino');
    return () => {
      throw new Error('no line can be written');
    };
  },
}));

const options = loadRunOptions({ flags: { logFormat: 'json' }, env: {}, command: ['true'] });

beforeEach(() => {
  vi.restoreAllMocks();
});

it('starts none where what writes the log is not there', async () => {
  log.canLoad = false;
  const { start } = startOf();
  await expect(run(options)).rejects.toThrow('Cannot find module pino');
  expect(start).not.toHaveBeenCalled();
});

it('stops the one that it has started where something fails before it obeys signals', async () => {
  log.canLoad = true;
  const { node } = startOf();
  await expect(run(options)).rejects.toThrow('no line can be written');
  expect(node.stop).toHaveBeenCalledWith(expect.objectContaining({ immediate: true }));
});

function startOf() {
  let end = (): void => undefined;
  const node = {
    settings: { nodeId: 'a' },
    directory: '/x',
    remoteEndpoints: null,
    ended: new Promise<void>((resolve) => (end = resolve)),
    on: vi.fn(),
    stop: vi.fn(() => {
      end();
    }),
  };
  const started = node as unknown as FailoverNode; // no more of it is used
  const start = vi.spyOn(FailoverNode, 'start').mockResolvedValue(started);
  return { node, start };
}
