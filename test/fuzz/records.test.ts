// The files of a state directory bent in every way: understood as they were written, or not at all.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBounded } from '../../src/lease/file/durable-file.ts';
import { groupPaths } from '../../src/lease/file/group-paths.ts';
import { isCompletedSince, readPaused, writePaused } from '../../src/lease/file/markers.ts';
import {
  RECORD_LIMIT_BYTES,
  claimText,
  parseClaim,
  parseNodeRecord,
} from '../../src/lease/file/node-record.ts';
import { isRunName } from '../../src/lease/file/record-fields.ts';
import { peekGroup } from '../../src/lease/file/peek.ts';
import type { NodeRecord } from '../../src/lease/lease-store.ts';
import { isName } from '../../src/transport/checks.ts';
import { temporaryDirectory } from '../lease/support/fixtures.ts';
import { corpus, draws, expectPrototypesClean, outcomeOf, expectSeen } from './support/fuzz.ts';
import { anyBytes, bentBytes, bentJson, bentPart } from './support/odd.ts';

const PROCESS = { pid: 4242, startTime: '77', bootId: 'b', pidNamespace: 'pid:[1]' };
const SESSION = {
  process: PROCESS,
  kind: 'workload',
  active: true,
  keep: false,
  stopsWithSupervisor: true,
} as const;
const RECORD: NodeRecord = {
  v: 1,
  node: 'a',
  run: 'r1',
  group: 'web',
  version: '1.2.3',
  host: 'h',
  supervisor: PROCESS,
  endsNamespace: true,
  endpoints: { bus: 'ipc:///x/a.bus', rpc: 'ipc:///x/a.rpc' },
  standby: 'cold',
  priority: 100,
  startedAt: '2026-01-01T00:00:00.000Z',
  startedAtMonotonicMs: 12.5,
  sessions: [SESSION],
};

const bentRecord: fc.Arbitrary<string> = fc.oneof(
  bentJson(RECORD),
  bentPart(RECORD, 'supervisor', bentJson(PROCESS)),
  bentPart(
    RECORD,
    'sessions',
    bentJson(SESSION).map((session) => `[${session}]`),
  ),
);

describe('a node record', () => {
  it.each(corpus('node-record'))('$name', ({ name, text }) => {
    expect(judgeRecord(text)).toBe(name.split('~')[0]);
  });

  it('is read as it was written', () => {
    expect(parseNodeRecord(JSON.stringify(RECORD))).toEqual(RECORD);
  });

  it('is understood with names, pids and numbers that can be used, or not at all', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(bentRecord, (text) => {
        seen.add(judgeRecord(text));
      }),
      draws(1000),
    );
    expectPrototypesClean();
    expectSeen(seen, ['refused', 'understood']);
  });
});

describe('a claim', () => {
  it.each(corpus('claim'))('$name', ({ name, text }) => {
    expect(judgeClaim(text)).toBe(name.split('~')[0]);
  });

  it('is read as it was written', () => {
    const { node, run, endpoints } = RECORD;
    expect(parseClaim(claimText(RECORD))).toEqual({ node, run, endpoints });
  });

  it('names a node and a run that can be handed on, or nobody', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(bentRecord, (text) => {
        seen.add(judgeClaim(text));
      }),
      draws(1000),
    );
    expectSeen(seen, ['refused', 'understood']);
  });
});

describe('a look at a directory with odd files in it', () => {
  it('gives what can be understood, and fails on nothing', () => {
    const stateDir = temporaryDirectory();
    const paths = groupPaths(join(stateDir, 'web'));
    for (const directory of ['', 'nodes', 'epochs', 'claims', 'marks']) {
      mkdirSync(join(paths.directory, directory), { recursive: true });
    }
    const content = fc.oneof({ weight: 6, arbitrary: bentBytes(bentRecord) }, anyBytes);
    const mark = bentJson({ by: 'me', at: 'now', epoch: 1, atMs: 13, bootId: 'b' });
    fc.assert(
      fc.property(content, content, bentBytes(mark), (record, claim, marks) => {
        writeFileSync(join(paths.nodes, 'r1.json'), record);
        writeFileSync(join(paths.epochs, '7'), claim);
        writeFileSync(paths.paused, marks);
        writeFileSync(paths.completed, marks);
        const outcome = outcomeOf(() => peekGroup(stateDir, 'web'));
        expect(outcome).toMatchObject({ value: { observation: { epoch: 7, paused: true } } });
        expect(typeof isCompletedSince(paths, RECORD)).toBe('boolean');
      }),
      draws(100),
    );
    expectPrototypesClean();
  });

  it('reads who paused the group as it was written', () => {
    const paths = groupPaths(temporaryDirectory());
    mkdirSync(paths.marks);
    const text = fc.string({ unit: 'binary', maxLength: 500 });
    fc.assert(
      fc.property(text, (by) => {
        writePaused(paths, true, by);
        expect(readPaused(paths)?.by).toBe(by);
      }),
      draws(30),
    );
  });
});

describe('a file that is read', () => {
  it('is read up to a limit, however long it is', () => {
    const path = join(temporaryDirectory(), 'f');
    for (const size of [RECORD_LIMIT_BYTES, RECORD_LIMIT_BYTES + 1, 2 ** 22]) {
      writeFileSync(path, 'x'.repeat(size));
      expect(readBounded(path, RECORD_LIMIT_BYTES)?.length).toBe(RECORD_LIMIT_BYTES);
    }
  });

  it('is none if it is a pipe, whose writer could keep the reader waiting', () => {
    const path = join(temporaryDirectory(), 'pipe');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    // With a writer and a word in it even a careless reader gets an answer.
    const fd = openSync(path, 'r+');
    writeSync(fd, '{}');
    expect(readBounded(path, RECORD_LIMIT_BYTES)).toBeNull();
    closeSync(fd);
  });

  it.each(['/dev/zero', '/'])('is none if it is %s, which is no file', (path) => {
    expect(readBounded(path, RECORD_LIMIT_BYTES)).toBeNull();
  });
});

function judgeRecord(text: string): string {
  const record = parseNodeRecord(text);
  if (record === null) return 'refused';
  expect(Object.keys(record).sort()).toEqual(Object.keys(RECORD).sort());
  expect([record.node, record.group].every(isName)).toBe(true);
  expect(isRunName(record.run)).toBe(true);
  const pids = [record.supervisor, ...record.sessions.map(({ process }) => process)];
  for (const { pid } of pids) {
    // What is larger becomes another number, even a negative one, on its way to the kernel.
    expect(pid).toBeGreaterThan(0);
    expect(pid).toBeLessThan(2 ** 31);
  }
  expect(parseNodeRecord(JSON.stringify(record))).toEqual(JSON.parse(JSON.stringify(record)));
  return 'understood';
}

function judgeClaim(text: string): string {
  const claim = parseClaim(text);
  if (claim === null) return 'refused';
  expect(isName(claim.node)).toBe(true);
  expect(isRunName(claim.run)).toBe(true);
  return 'understood';
}
