/**
 * Scripts with which shells complete the command line, made from the commands and options themselves. What they do not
 * know, such as the value of most options, is completed as a file.
 */
import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completionScript(program: Command, shell: Shell): string {
  const name = program.name();
  const commands = commandsOf(program);
  switch (shell) {
    case 'bash':
      return `# bash completion for ${name}: source <(${name} completion bash)\n${bash(name, commands)}`;
    case 'zsh':
      return `#compdef ${name}\n# zsh completion for ${name}: source <(${name} completion zsh)\nautoload -U +X bashcompinit && bashcompinit\n${bash(name, commands)}`;
    case 'fish':
      return `# fish completion for ${name}: ${name} completion fish | source\n${fish(name, commands)}`;
    default:
      return shell satisfies never;
  }
}

interface CommandWords {
  /** The names that lead to it, each behind a space; empty for the program. */
  readonly path: string;
  /** The same with all names of each. */
  readonly above: readonly (readonly string[])[];
  readonly values: readonly string[];
  readonly options: readonly Option[];
  readonly commands: readonly { readonly names: readonly string[]; readonly description: string }[];
}

/** The command, and all below it. */
function commandsOf(command: Command, path = '', above: CommandWords['above'] = []): readonly CommandWords[] {
  const help = command.createHelp();
  // `help` itself takes names of commands, which is more than it is worth.
  const below = help.visibleCommands(command).filter((child) => child.name() !== 'help');
  const own: CommandWords = {
    path,
    above,
    values: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    options: help.visibleOptions(command),
    commands: below.map((child) => ({
      names: [child.name(), ...child.aliases()],
      description: child.description(),
    })),
  };
  return [
    own,
    ...below.flatMap((child) =>
      commandsOf(child, `${path} ${child.name()}`, [...above, [child.name(), ...child.aliases()]]),
    ),
  ];
}

const flags = ({ short, long }: Option): string[] => [short, long].filter((flag) => flag !== undefined);
const takesValue = ({ required, optional }: Option): boolean => required || optional;

function bash(name: string, commands: readonly CommandWords[]): string {
  const steps = commands.flatMap(({ path, commands: below }) =>
    below.map(({ names: [first, ...others] }) => {
      const from = [first, ...others].map((word) => `'${path} ${word}'`).join('|');
      return `      ${from}) path='${path} ${first}' ;;`;
    }),
  );
  const words = commands.map(({ path, values, options, commands: below }) => {
    const all = [...values, ...below.flatMap(({ names }) => names), ...options.flatMap(flags)];
    return `    '${path}') words='${all.join(' ')}' ;;`;
  });
  const values = commands.flatMap(({ path, options }) =>
    options.filter(takesValue).map((option) => ({
      pattern: flags(option)
        .map((flag) => `'${path} ${flag}'`)
        .join('|'),
      choices: option.argChoices ?? [],
    })),
  );
  const choices = values
    .filter((value) => value.choices.length > 0)
    .map(({ pattern, choices: own }) => `    ${pattern}) words='${own.join(' ')}' ;;`);
  const files = values.filter((value) => value.choices.length === 0).map(({ pattern }) => pattern);
  return `_${name}() {
  local path='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
${steps.join('\n')}
    esac
  done
  case "$path" in
${words.join('\n')}
  esac
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${choices.join('\n')}
    ${files.join('|')}) words='' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${name} ${name}
`;
}

function fish(name: string, commands: readonly CommandWords[]): string {
  const seen = (names: readonly string[]): string => `__fish_seen_subcommand_from ${names.join(' ')}`;
  const lines = commands.flatMap(({ above, values, options, commands: below }) => {
    const next = below.flatMap((child) => child.names);
    const here = [...above.map(seen), ...(next.length > 0 ? [`not ${seen(next)}`] : [])].join('; and ');
    const add = (rest: string): string => `complete -c ${name} -n '${here}' ${rest}`;
    return [
      ...below.flatMap((child) =>
        child.names.map((word) => add(`-f -a ${word} -d ${quoted(child.description)}`)),
      ),
      ...values.map((value) => add(`-f -a ${value}`)),
      ...options.map((option) => add(fishOption(option))),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function fishOption(option: Option): string {
  const { short, long, argChoices, description } = option;
  const parts = [short && `-s ${short.slice(1)}`, long && `-l ${long.slice(2)}`];
  if (takesValue(option)) parts.push(argChoices ? `-x -a '${argChoices.join(' ')}'` : '-r');
  return [...parts, `-d ${quoted(description)}`].filter(Boolean).join(' ');
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
