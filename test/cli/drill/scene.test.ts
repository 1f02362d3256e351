// A group that is not fit for a drill is refused with the reason, before anything is touched.
import { describe, expect, it } from 'vitest';
import type { GroupSnapshot } from '../../../src/cli/client.ts';
import { sceneOf } from '../../../src/cli/drill/scene.ts';
import type { Scene, SceneRules } from '../../../src/cli/drill/scene.ts';
import { ownIdentity } from '../../../src/fence/process-identity.ts';
import type { NodeStatus } from '../../../src/runtime/node-status.ts';
import { failureOf } from '../../support/failover-error.ts';
import {
  answering,
  healthyGroup,
  primaryStatus,
  silentNode,
  snapshotOf,
  statusOf,
} from '../support/snapshot.ts';

const RULES: SceneRules = { maySignal: () => true, allowMixedVersions: false };

function read(snapshot: GroupSnapshot, rules: Partial<SceneRules> = {}): Scene {
  return sceneOf(snapshot, { ...RULES, ...rules });
}

function refusal(snapshot: GroupSnapshot, rules: Partial<SceneRules> = {}): string {
  return failureOf(() => read(snapshot, rules)).message;
}

const a = answering(primaryStatus('a'));
const b = answering(statusOf('b'));

describe('a healthy group', () => {
  it('is a scene with the primary first and the others in succession', () => {
    const { primary, secondaries, nodes, epoch } = read(healthyGroup());
    expect([primary.id, epoch]).toEqual(['a', 7]);
    expect(secondaries.map(({ id }) => id)).toEqual(['b', 'c']);
    expect(nodes[0]?.id).toBe('a');
  });

  it('may have nodes that ended long ago', () => {
    expect(read(snapshotOf('a', [a, b, silentNode('z', 'gone')])).nodes).toHaveLength(2);
  });
});

describe('refused is a group', () => {
  it('that is paused', () => {
    const { observation } = healthyGroup();
    const paused = snapshotOf('a', [a, b], { observation: { ...observation, paused: true } });
    expect(refusal(paused)).toContain('paused');
  });

  it('whose lease is on a server', () => {
    const lease = { ...primaryStatus('a').lease, kind: 'redis' as const };
    const remote = answering(primaryStatus('a', { lease }));
    expect(refusal(snapshotOf('a', [remote, b]))).toContain('is on a server (redis)');
    const files = answering(primaryStatus('a', { lease: { ...lease, kind: 'timed-file' } }));
    expect(refusal(snapshotOf('a', [files, b]))).toContain('is in files shared by machines');
  });

  it('without a primary, with the exit code of that', () => {
    const failure = failureOf(() => read(snapshotOf(null, [b])));
    expect([failure.code, failure.exitCode]).toEqual(['FAILOVER_NO_PRIMARY', 3]);
  });

  it('without a secondary that would take over, and says why not', () => {
    expect(refusal(snapshotOf('a', [a]))).toContain('no secondary would take over');
    const held = answering(statusOf('b', { willing: false, unwillingBecause: 'it cools off' }));
    expect(refusal(snapshotOf('a', [a, held]))).toContain('b: it cools off');
  });

  it('whose primary does not serve yet', () => {
    const restarting = answering(primaryStatus('a', { phase: 'restarting' }));
    expect(refusal(snapshotOf('a', [restarting, b]))).toContain('a is restarting');
  });

  it('with a node that does not answer', () => {
    const stopped = silentNode('c', 'unresponsive', 'its process is stopped');
    expect(refusal(snapshotOf('a', [a, b, stopped]))).toContain('its process is stopped');
  });

  it('with a node in another pid namespace', () => {
    const supervisor = { ...ownIdentity(), pidNamespace: '1' };
    const foreign = answering(statusOf('c'), { supervisor, host: 'elsewhere' });
    expect(refusal(snapshotOf('a', [a, b, foreign]))).toContain('host elsewhere');
  });

  it('where an ended node left something running', () => {
    const gone = { ...silentNode('c', 'gone'), leftovers: [4711] };
    expect(refusal(snapshotOf('a', [a, b, gone]))).toContain('pid 4711');
  });

  it('of which this user may not signal a node', () => {
    const maySignal = (pid: number): boolean => pid !== b.record.supervisor.pid;
    const failure = failureOf(() => read(snapshotOf('a', [a, b]), { maySignal }));
    expect([failure.code, failure.message]).toEqual([
      'FAILOVER_NOT_PERMITTED',
      expect.stringContaining('may not signal b'),
    ]);
  });

  it('of different versions, unless that is allowed', () => {
    const mixed = snapshotOf('a', [a, answering(statusOf('b', { version: '0.2.0' }))]);
    expect(refusal(mixed)).toContain('a 0.1.0, b 0.2.0');
    expect(read(mixed, { allowMixedVersions: true }).secondaries).toHaveLength(1);
  });

  it('with a node whose version does not say how it is set', () => {
    const { setup, ...older } = statusOf('b', { version: '0.0.9' });
    expect(setup.ownsProcess).toBe(true);
    // What a node of another version answers.
    const old = answering(older as NodeStatus);
    expect(refusal(snapshotOf('a', [a, old]))).toContain('does not report its settings');
  });
});
