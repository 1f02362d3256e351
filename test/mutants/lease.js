// Faults of the file lease: its locks, its lockfile, and the directory that they are in.

import { transcript } from './mutant.js';

/** @type {readonly import('./mutant.js').Mutant[]} */
export const LEASE = [
  {
    id: 'lock-freed-for-every-copy',
    says: 'Closing a copy of a lock frees it for all copies, while helpers of the workload still run.',
    breaks: 'S1',
    file: 'src/lease/file/kernel-lock.ts',
    from: '    closeSync(this.fd);\n',
    to: '    unlock(this.fd);\n    closeSync(this.fd);\n',
    killers: [
      {
        test: 'test/lease/file/kernel-lock.test.ts',
        title: 'stays held after our copy is closed, until the child that inherited it has ended',
      },
    ],
  },
  {
    id: 'lock-of-replaced-file',
    says: 'A lock on a file that was replaced counts.',
    breaks: 'S1',
    file: 'src/lease/file/kernel-lock.ts',
    from: 'return takeLock(this.#path, this.fd) && this.isNamed();',
    to: 'return takeLock(this.#path, this.fd);',
    killers: [
      {
        test: 'test/lease/file/kernel-lock.test.ts',
        title: 'a description of a file that was replaced is not locked',
      },
    ],
  },
  {
    id: 'lock-file-made-by-opening',
    says: 'Opening a lock file that was removed makes a new one, beside whoever holds the old one.',
    breaks: 'S1',
    file: 'src/lease/file/kernel-lock.ts',
    from: 'openSync(this.path, constants.O_RDWR)',
    to: 'openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o600)',
    killers: [
      {
        test: 'test/lease/file/kernel-lock.test.ts',
        title: 'opening never makes a file that was removed',
      },
    ],
  },
  {
    id: 'removed-directory-unnoticed',
    says: 'A primary does not compare the directory and the lock files with those that it holds.',
    breaks: 'S1',
    file: 'src/lease/file/held-lease.ts',
    from: 'const cause = this.#causeOfLoss();',
    to: 'const cause = this.epoch < 0 ? this.#causeOfLoss() : this.compromised;',
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'tells that the directory was removed or replaced',
      },
    ],
  },
  {
    id: 'only-its-lock-looked-at',
    says: 'A primary never compares more than its lock at a heartbeat, told of changes or not.',
    breaks: 'S1',
    file: 'src/core/when-primary.ts',
    from: "const scope = isDue ? 'all' : 'lock';",
    to: "const scope = isDue && state.epoch < 0 ? 'all' : 'lock';",
    killers: [transcript('auto: everything that happens at a beat, shown once')],
  },
  {
    id: 'trusts-what-is-not-told',
    says: 'A primary that nobody tells of changes compares its lock alone.',
    breaks: 'S1',
    file: 'src/lease/file/file-lease.ts',
    from: "scope === 'lock' && this.#isToldOfChanges &&",
    to: "scope === 'lock' && (this.#isToldOfChanges || held.epoch > 0) &&",
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'looks at everything where nothing is told',
      },
    ],
  },
  {
    id: 'lock-not-compared',
    says: 'Between two looks at everything a primary does not compare its lock with what has its name.',
    breaks: 'S1',
    file: 'src/lease/file/file-lease.ts',
    from: 'if (isBrief && held.hasLock) return held.touch();',
    to: 'if (isBrief) return held.touch();',
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'looks at its lock alone where that is enough, and where it is told of all else',
      },
    ],
  },
  {
    id: 'removed-workload-lock-unnoticed',
    says: 'A primary does not notice that workload.lock was replaced: the next one finds a free one.',
    breaks: 'S1',
    file: 'src/lease/file/held-lease.ts',
    from: 'if (this.#sight.identityOf(workloadLock) !== this.#workloadLock) {',
    to: 'if (this.#sight.identityOf(workloadLock) !== this.#workloadLock && this.epoch < 0) {',
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'tells that workload.lock was replaced',
      },
    ],
  },
  {
    id: 'no-sign-of-life',
    says: 'A primary does not touch its lock file: where its sockets are gone, it is taken for dead.',
    breaks: 'S6',
    file: 'src/lease/file/held-lease.ts',
    from: '      futimesSync(this.lock.fd, seconds, seconds);\n',
    to: '      if (seconds < 0) futimesSync(this.lock.fd, seconds, seconds);\n',
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'holds, and changes the touch that others see',
      },
    ],
  },
  {
    id: 'deleted-holders-ignored',
    says: 'A newcomer makes lock files anew while the workload of before holds deleted ones.',
    breaks: 'S1',
    file: 'src/lease/file/foundation.ts',
    from: 'if (this.waitsFor.length > 0) return false;',
    to: 'if (this.waitsFor.length < 0) return false;',
    killers: [
      {
        test: 'test/lease/file/removed-directory.test.ts',
        title: 'lets nobody in while a workload still holds the deleted workload lock',
      },
    ],
  },
  {
    id: 'look-of-a-removed-directory-used',
    says: 'Lock files are made after a look that began in a directory which was removed since.',
    breaks: 'S2',
    file: 'src/lease/file/lock-files.ts',
    from: 'if (!isStill()) return false;',
    to: 'if (!isStill()) void 0;',
    killers: [
      {
        test: 'test/lease/file/removed-directory.test.ts',
        title: 'repeats no epoch that was claimed, and removed with its directory, during its look',
      },
    ],
  },
  {
    id: 'moved-holders-ignored',
    says: 'What holds a lock file of a directory that was moved away is not waited for.',
    breaks: 'S1',
    file: 'src/lease/file/deleted-holders.ts',
    from: 'return [...deleted, ...findMovedHolders(directory, open)];',
    to: 'return [...deleted, ...findMovedHolders(directory, open).slice(0, 0)];',
    killers: [
      {
        test: 'test/lease/file/removed-directory.test.ts',
        title: 'lets nobody in while a workload holds the lock of a directory that was moved away',
      },
    ],
  },
  {
    id: 'release-not-proved',
    says: 'A release ends before the lease is free.',
    breaks: 'S5',
    file: 'src/lease/file/file-lease.ts',
    from: 'return { heldBy: await this.#primaryLock.proveFree(isTaken) };',
    to: 'void this.#primaryLock.proveFree(isTaken); return { heldBy: null };',
    killers: [
      {
        test: 'test/lease/file/file-lease.test.ts',
        title: 'ends a release only when a copy of the descriptor, in a child, is closed',
      },
    ],
  },
  {
    id: 'lockfile-of-another-removed',
    says: 'The end of a term removes the lockfile of the one who took it over.',
    breaks: 'S1',
    file: 'src/lease/file/lockfile.ts',
    from: 'if (this.#identity === null || identityOfPath(path) !== this.#identity) {',
    to: 'if (this.#identity === null) {',
    killers: [
      {
        test: 'test/lease/file/lockfile.test.ts',
        title: 'release never removes the directory of the one who took it over',
      },
    ],
  },
  {
    id: 'lockfile-stale-by-wall-clock',
    says: 'A lockfile of another program is taken over when its time, by this clock, is old.',
    breaks: 'S1',
    file: 'src/lease/file/lockfile.ts',
    from: 'this.#foreign = { mark, since: now() };',
    to: 'this.#foreign = { mark, since: now() - (Date.now() - Number(found.mtimeMs)) };',
    killers: [
      {
        test: 'test/lease/file/lockfile.test.ts',
        title: 'a foreign one that looks stale by its time only is left alone',
      },
    ],
  },
  {
    id: 'own-lockfile-taken-for-foreign',
    says: 'The lockfile that a killed primary left keeps everyone out.',
    breaks: 'S4',
    file: 'src/lease/file/lockfile.ts',
    from: 'if (isNoted(readLockNote(fd).lockfile, found, fstatSync(fd, { bigint: true }))) {',
    to: 'if (isNoted(readLockNote(fd).lockfile, found, fstatSync(fd, { bigint: true })) && fd < 0) {',
    killers: [
      {
        test: 'test/lease/file/lockfile.test.ts',
        title: 'takes a leftover that the note names over at once',
      },
    ],
  },
  {
    id: 'shared-file-system-accepted',
    says: 'A directory on NFS or FUSE is accepted, where locks prove nothing about other hosts.',
    breaks: 'S1',
    file: 'src/lease/file/file-system-kind.ts',
    from: 'if (LOCAL.has(type)) return;',
    to: 'if (LOCAL.has(type) || OTHER.has(type)) return;',
    killers: [{ test: 'test/lease/file/state-directory.test.ts', title: 'and names it' }],
  },
  {
    id: 'other-host-accepted',
    says: 'A directory that another host uses just now is accepted.',
    breaks: 'S1',
    file: 'src/lease/file/node-registry.ts',
    from: 'if (age === null || age >= RECENT_MS) continue;',
    to: 'if (age === null || age >= RECENT_MS || record.host !== own.host) continue;',
    killers: [
      {
        test: 'test/lease/file/node-registry.test.ts',
        title: 'refuses a directory in which a node of another host was active a moment ago',
      },
    ],
  },
  {
    id: 'record-forgotten-with-sessions',
    says: 'The record of an ended node goes while processes of its sessions still run.',
    breaks: 'S1',
    file: 'src/lease/file/garbage.ts',
    from: 'return record.sessions.every(isGone);',
    to: 'return [true, ...record.sessions.map(isGone)].includes(true);',
    killers: [
      {
        test: 'test/lease/file/node-registry.test.ts',
        title: 'keeps the record of an ended supervisor until the last process',
      },
    ],
  },
  {
    id: 'record-judged-by-an-old-look',
    says: 'A record goes though its node started something, and died, after it was read.',
    breaks: 'S4',
    file: 'src/lease/file/garbage.ts',
    from: '    const record = readRecord(path);\n    return record === null ? [] : [{ record, path }];',
    to: '    const record = ended.find((entry) => entry.path === path)?.record;\n    return record === undefined ? [] : [{ record, path }];',
    killers: [
      {
        test: 'test/lease/file/garbage.test.ts',
        title: 'keeps the record of a node that started something after it was looked at',
      },
    ],
  },
  {
    id: 'beside-another-namespace',
    says: 'A node takes part beside one whose processes it can not see.',
    breaks: 'S1',
    file: 'src/lease/file/record-lock.ts',
    from: "if (!tryLock(fd, { shared: true })) return 'locked';",
    to: "if (!tryLock(fd, { shared: true })) return 'free';",
    killers: [
      {
        test: 'test/lease/file/out-of-sight.test.ts',
        title: 'refuses to start beside one that lives, and not once it has died',
      },
    ],
  },
  {
    id: 'dying-namespace-taken-for-gone',
    says: 'What runs in a container counts as gone the moment its supervisor has died.',
    breaks: 'S1',
    file: 'src/lease/file/out-of-sight.ts',
    from: 'return now - since >= SETTLING_MS;',
    to: 'return now - since >= SETTLING_MS * 0;',
    killers: [
      {
        test: 'test/lease/file/out-of-sight.test.ts',
        title: 'knows that a namespace went with its supervisor a second after',
      },
    ],
  },
  {
    id: 'holder-by-record-alone',
    says: 'Only the recorded holder is fenced: one that was stopped before its claim keeps everyone waiting.',
    breaks: 'S4',
    file: 'src/fence/fence.ts',
    from: '    found ??= findLockHolders(primaryLockPath)[0];\n',
    to: '    found ??= findLockHolders(primaryLockPath, [])[0];\n',
    killers: [
      {
        test: 'test/fence/fence.test.ts',
        title: 'kills a candidate that took the lease and claims no epoch',
      },
    ],
  },
  {
    id: 'trust-what-was-put-back',
    says: 'What is noted in lock files that were put back counts, though others have led since.',
    breaks: 'S1',
    file: 'src/lease/file/held-lease.ts',
    from: 'this.isOutdated = epoch < highest;',
    to: 'this.isOutdated = epoch < 0 && epoch < highest;',
    killers: [
      {
        test: 'test/lease/file/removed-parts.test.ts',
        title:
          'is not known where a higher epoch is than is noted in the file: others led by other ones',
      },
    ],
  },
  {
    id: 'trust-a-record-that-was-put-back',
    says: 'A record counts where its node lives, also if that keeps another one by now.',
    breaks: 'S1',
    file: 'src/fence/find-leftovers.ts',
    from: '(live.has(node) && sources.isKept(node))',
    to: 'live.has(node)',
    killers: [
      {
        test: 'test/fence/leftovers.test.ts',
        title: 'is in the way where the record of the living node that started it was put back',
      },
    ],
  },
  {
    id: 'register-at-once',
    says: 'Two nodes of one id register at the same time.',
    breaks: 'S1',
    file: 'src/lease/file/registering.ts',
    from: 'if (!takeWithin(fd, byteOf(node), waitMs)) {',
    to: 'if (!takeWithin(fd, byteOf(node), waitMs) && waitMs < 0) {',
    killers: [
      {
        test: 'test/lease/file/registering.test.ts',
        title: 'keep a second node of the same id out, and no other',
      },
    ],
  },
  {
    id: 'stray-file-of-the-living',
    says: 'What a living process is writing is taken for what a killed one left.',
    breaks: 'S4',
    file: 'src/lease/file/stray-files.ts',
    from: 'readStat(temporaryWriter(name)?.pid ?? 0) === null',
    to: 'temporaryWriter(name) !== null || readStat(0) === null',
    killers: [
      {
        test: 'test/lease/file/stray-files.test.ts',
        title: 'stay while they change, and where they are not known by their very name',
      },
    ],
  },
];
