/** `RUN <<EOF`: a script instead of a command line. */
import { type MountOptions, mkfile, scratch } from '../../../../client/llb/index.js';
import { joinPath } from '../../../../core/util/gofs/path.js';
import type { CommandLine, Run, ShellHeredoc } from '../instructions/types.js';
import { syntaxError } from '../located.js';
import { asHeredocStart, chompTabs } from '../parse/heredoc.js';
import type { StageBuild } from './stage-build.js';

export interface Script {
  readonly command: CommandLine;
  readonly mounts: readonly MountOptions[];
  /** Behind the step's name. */
  readonly summary: string;
}

const PIPES = '/dev/pipes/';

export function scriptOf({ command, heredocs }: Run, stage: StageBuild): Script {
  const [first] = heredocs;
  if (!first) return { command, mounts: [], summary: '' };
  const [line, ...more] = command.args;
  if (line === undefined || more.length > 0 || !command.shell) {
    throw syntaxError(`parsing produced an invalid run command: [${command.args.join(' ')}]`);
  }
  // Several heredocs, or one for a command: the shell has to sort it out.
  if (!asHeredocStart(line)) {
    const whole = line + heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
    return { command: { args: [whole], shell: true }, mounts: [], summary: '' };
  }
  const content = first.chomp ? chompTabs(first.content) : first.content;
  const summary = ` (${summarize(first.content)})`;
  if (!first.content.startsWith('#!')) {
    return { command: { args: [content], shell: true }, mounts: [], summary };
  }
  return {
    command: { args: [joinPath(PIPES, first.name)], shell: true },
    mounts: [scriptMount(first, content, stage)],
    summary,
  };
}

const scriptMount = ({ name }: ShellHeredoc, content: string, { platform }: StageBuild): MountOptions => ({
  target: PIPES,
  source: scratch().file(mkfile(name, 0o755, content), {
    name: '[internal] preparing inline document',
    platform,
  }),
  selector: '/',
  readonly: true,
});

/** The first line, and dots if there are more. */
function summarize(content: string): string {
  const [first = '', ...more] = content.trim().replaceAll('\r\n', '\n').split('\n');
  return more.length > 0 ? `${first}...` : first;
}
