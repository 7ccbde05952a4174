import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { Argument, Command, Option } from 'commander';
import { completionScript } from '../../../cmd/buildctl/completion.js';

const program = new Command('tool').description('a tool').option('--root <folder>', 'its folder');
program
  .command('build')
  .alias('b')
  .description("what it's for")
  .option('-o, --output <file>', 'where to')
  .addOption(new Option('--progress <mode>').choices(['plain', 'tty']));
const debug = program.command('debug');
debug.command('print').addArgument(new Argument('<what>').choices(['cats', 'dogs']));
program.command('secret', { hidden: true });

/** What bash offers for the last of the words. */
function offered(...words: readonly string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(tool "$@"); COMP_CWORD=$#
_tool; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  expect(stderr).to.equal('');
  return stdout.split('\n').filter(Boolean);
}

describe('completionScript', () => {
  it('offers commands, by every name, and options of the program', () => {
    expect(offered('')).to.deep.equal(['build', 'b', 'debug', '--root', '-h', '--help']);
    expect(offered('--root', '/x', 'de')).to.deep.equal(['debug']);
  });

  it('offers what belongs to a command', () => {
    expect(offered('b', '--p')).to.deep.equal(['--progress']);
    expect(offered('debug', 'p')).to.deep.equal(['print']);
    expect(offered('debug', 'print', '')).to.include.members(['cats', 'dogs']);
    expect(offered('build', '--root')).to.deep.equal([]);
  });

  it('offers the values of an option, and leaves files to the shell', () => {
    expect(offered('build', '--progress', '')).to.deep.equal(['plain', 'tty']);
    expect(offered('build', '-o', '')).to.deep.equal([]);
  });

  it('gives zsh the same, through its own means', () => {
    const [first, ...rest] = completionScript(program, 'zsh').split('\n');
    expect(first).to.equal('#compdef tool');
    expect(rest.join('\n')).to.include('bashcompinit').and.include('complete -o default -F _tool tool');
  });

  it('tells fish what each word is', () => {
    const lines = completionScript(program, 'fish').split('\n');
    expect(lines).to.include.members([
      `complete -c tool -n 'not __fish_seen_subcommand_from build b debug' -f -a b -d 'what it\\'s for'`,
      `complete -c tool -n '__fish_seen_subcommand_from build b' -l progress -x -a 'plain tty' -d ''`,
      `complete -c tool -n '__fish_seen_subcommand_from build b' -s o -l output -r -d 'where to'`,
      `complete -c tool -n '__fish_seen_subcommand_from debug; and __fish_seen_subcommand_from print' -f -a cats`,
    ]);
  });
});
