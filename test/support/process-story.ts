// What happened in a group, told for the message of a failed test.
import { markedProcesses } from './process-list.ts';
import type { LogLine, NodeProcess } from './process-node.ts';

export function storyOf(
  nodes: readonly NodeProcess[],
  { mark, witness }: { readonly mark: string; readonly witness: string },
): string {
  const processes = markedProcesses(mark).map(
    ({ pid, state, command }) => `  ${pid} ${state} ${command}`,
  );
  return [...nodes.map(lifeOf), 'witness:', witness, 'processes:', ...processes].join('\n');
}

function lifeOf(node: NodeProcess): string {
  const end = node.end === null ? 'runs' : `ended with ${node.end}`;
  const title = `${node.id} (pid ${node.pid}) ${end}`;
  return [title, ...node.log.map(sentenceOf), node.stray].join('\n');
}

function sentenceOf({ time, event, from, to, epoch, reason }: LogLine): string {
  const change = to === undefined ? event : `${from ?? ''} -> ${to}`;
  return `  ${time ?? ''} ${change} ${epoch ?? ''} ${reason ?? ''}`;
}
