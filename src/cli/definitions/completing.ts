// The command that teaches a shell to complete the others.
import { Argument } from 'commander';
import type { Command } from 'commander';
import { addCommand } from './definition.ts';

export function addCompletion(program: Command): void {
  addCommand(program, {
    name: 'completion',
    summary: 'print a shell completion script for bash, zsh or fish',
    example: 'failover completion bash > ~/.local/share/bash-completion/completions/failover',
  })
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (name: string) => {
      const { completion, shellNamed } = await import('../commands/completion.ts');
      completion(shellNamed(name));
    });
}
