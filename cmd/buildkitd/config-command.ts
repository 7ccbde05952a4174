import { Command } from 'commander';

/** What buildkitd is asked to do; it runs unless told otherwise. */
export type DaemonCommand = 'run' | 'dump' | 'check';

/** `buildkitd config …`; the choice ends up as the option `command` of the program. */
export function configCommand(): Command {
  const choose = (choice: DaemonCommand) => (_options: unknown, chosen: Command) =>
    void chosen.parent?.parent?.setOptionValue('command', choice);
  const config = new Command('config').description('look at the configuration, with flags and defaults');
  config.command('dump').description('print what the daemon would run with, as TOML').action(choose('dump'));
  config
    .command('check')
    .description('say whether the daemon would take it, plugins included')
    .action(choose('check'));
  return config;
}
