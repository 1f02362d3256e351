// Whether locks do here what a lease of files stands on: by taking them.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { lock } from 'proper-lockfile';
import { KernelLock } from '../../../lease/file/kernel-lock.ts';
import { failure, ok } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import type { Place } from '../place.ts';

export const LOCK_CHECKS: readonly Check[] = [
  {
    id: 'kernel-lock',
    question: 'Is a kernel lock exclusive, and free once it is closed?',
    run: ({ workshop }) => lockAndClose(fresh(workshop.path('lock'))),
  },
  {
    id: 'lock-inheritance',
    question: 'Does a kernel lock last as long as a child that inherited it?',
    run: ({ workshop }) => lockWithChild(fresh(workshop.path('inherited'))),
  },
  { id: 'lockfile', question: 'Does proper-lockfile work there?', run: takeLockfile },
];

const ELSEWHERE = 'Point --state-dir at a local file system such as ext4, xfs, btrfs or tmpfs.';

function lockAndClose(file: KernelLock): Finding {
  const [first, second] = [file.open(), file.open()];
  try {
    if (!first.tryLock()) return failure('A fresh file was locked already', ELSEWHERE);
    if (second.tryLock()) return failure('Two holders had one kernel lock at once', ELSEWHERE);
    first.close();
    if (!second.tryLock()) return failure('A kernel lock outlived its descriptor', ELSEWHERE);
    return ok('A kernel lock is exclusive, and free once it is closed');
  } finally {
    first.close();
    second.close();
  }
}

async function lockWithChild(file: KernelLock): Promise<Finding> {
  const ours = file.open();
  if (!ours.tryLock()) {
    ours.close();
    return failure('A fresh file was locked already', ELSEWHERE);
  }
  const child = spawn('sh', ['-c', 'read line'], {
    stdio: ['pipe', 'ignore', 'ignore', ours.fd],
  });
  const ended = new Promise<string | null>((resolve) => {
    child.on('error', ({ message }) => {
      resolve(message);
    });
    child.on('close', () => {
      resolve(null);
    });
  });
  ours.close();
  const isHeld = child.pid !== undefined && !file.isFree();
  child.stdin?.end();
  const problem = await ended;
  if (problem !== null) return failure(`No child could be started: ${problem}`, HAVE_SHELL);
  if (!isHeld) return failure('A child did not keep the kernel lock that it inherited', ELSEWHERE);
  if (!file.isFree()) return failure('A kernel lock outlived the child that had it', ELSEWHERE);
  return ok('A child keeps its inherited lock until it exits');
}

const HAVE_SHELL = 'Allow this user to start `sh`, and raise its process and open file limits.';

async function takeLockfile({ workshop }: Place): Promise<Finding> {
  const file = workshop.path('lockfile');
  closeSync(openSync(file, 'wx', 0o600));
  const options = { realpath: false, retries: 0 } as const;
  const release = await lock(file, options);
  try {
    const again = await lock(file, options).catch(() => null);
    if (again === null)
      return ok('proper-lockfile takes its lock, and refuses it to a second holder');
    await again();
    return failure('proper-lockfile gave one lock to two holders', ELSEWHERE);
  } finally {
    await release().catch(() => undefined);
  }
}

function fresh(path: string): KernelLock {
  closeSync(openSync(path, 'wx', 0o600));
  return new KernelLock(path);
}
