// Which function plays which kind of fault.
import type { FaultKind } from '../plan.ts';
import type { Perform } from './fault.ts';
import * as files from './files.ts';
import * as machine from './machine.ts';
import * as messages from './messages.ts';
import * as processes from './processes.ts';
import * as requests from './requests.ts';

export const PERFORM: Readonly<Record<FaultKind, Perform>> = {
  'kill-primary': processes.killPrimary,
  'kill-workload': processes.killWorkload,
  'kill-both': processes.killBoth,
  'kill-standby': processes.killStandby,
  'kill-all': processes.killAll,
  'stop-primary': processes.stopPrimary,
  'stop-workload': processes.stopWorkload,
  'stop-both': processes.stopBoth,
  'stop-standby': processes.stopStandby,
  'stop-all': processes.stopAll,
  'flap-primary': processes.flapPrimary,
  'term-primary': processes.termPrimary,
  'term-standby': processes.termStandby,
  'suspend-primary': processes.suspendPrimary,
  'kill-in-promotion': processes.killInPromotion,
  'stop-in-promotion': processes.stopInPromotion,
  'kill-in-demotion': processes.killInDemotion,
  'stop-in-demotion': processes.stopInDemotion,
  'remove-state-dir': files.removeStateDir,
  'remove-group-dir': files.removeGroupDir,
  'replace-group-dir': files.replaceGroupDir,
  'remove-epochs': files.removeEpochs,
  'remove-nodes': files.removeNodes,
  'remove-claims': files.removeClaims,
  'remove-marks': files.removeMarks,
  'remove-lock-file': files.removeLockFile,
  'replace-lock-file': files.replaceLockFile,
  'spoil-records': files.spoilRecords,
  'remove-sockets': files.removeSockets,
  'remove-socket-dir': files.removeSocketDir,
  'fill-disk': machine.fillDisk,
  starve: machine.starve,
  'set-clock': machine.setClockOfNodes,
  'few-descriptors': machine.fewDescriptors,
  'no-descriptors': machine.noDescriptors,
  'fuzz-rpc': messages.fuzzRpc,
  'fuzz-bus': messages.fuzzBus,
  promote: requests.promote,
  'promote-force': requests.promoteForce,
  demote: requests.demote,
  pause: requests.pause,
  check: requests.check,
  'stop-node': requests.stopNode,
};
