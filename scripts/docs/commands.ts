/** The help of every command, as the programs print it. */
import type { Command } from 'commander';
import { program as dockerBuild } from '../../cmd/build-using-dockerfile/program.js';
import { program } from '../../cmd/buildctl/program.js';
import { daemonProgram } from '../../cmd/buildkitd/flags.js';

const COLUMNS = 100;

export const buildctlCommands = (): string => sections(program, 'buildctl').join('\n');

export const dockerBuildCommands = (): string => sections(dockerBuild, 'build-using-dockerfile').join('\n');

export const buildkitdCommands = (): string => sections(daemonProgram(), 'buildkitd').join('\n');

function sections(command: Command, name: string): string[] {
  const own = `## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  return [own, ...command.commands.flatMap((child) => sections(child, `${name} ${child.name()}`))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => COLUMNS,
  });
  command.outputHelp();
  return text.trim();
}
