import type { ProxyOptions, SourceLocation, State } from '../../../../client/llb/index.js';
import type { Platform } from '../../../../core/util/platform.js';
import { ExpandError } from '../expand/expand-error.js';
import { type Expanded, expand, type LexOptions } from '../expand/shell-lex.js';
import type { Instruction, InstructionOf } from '../instructions/types.js';
import type { Env } from './args.js';
import type { ConvertOptions } from './options.js';
import type { Command, StageBuild } from './stage-build.js';

/** What converting an instruction may use, beside its stage. */
export interface StepContext {
  readonly options: ConvertOptions;
  readonly lex: LexOptions;
  readonly globalArgs: Env;
  readonly targetPlatform: Platform;
  /** The main context; its options are filled in when all instructions are converted. */
  readonly buildContext: State;
  readonly proxy: ProxyOptions | undefined;
  /** Whether .dockerignore hides a path; absent when no check wants to know. */
  readonly isIgnored: ((path: string) => boolean) | undefined;
}

/** Moves a stage on by one instruction. */
export type Converter<Kind extends Instruction['kind']> = (
  stage: StageBuild,
  instruction: InstructionOf<Kind>,
  context: StepContext,
  command: Command,
) => void;

/** A word with the stage's variables filled in. */
export function fill(
  stage: StageBuild,
  context: StepContext,
  { ranges }: Pick<Instruction, 'ranges'>,
  word: string,
  lex: LexOptions = context.lex,
): string {
  const tellUnset = (names: Expanded['unmatched']): void => {
    for (const name of names) {
      if (stage.buildArgs.some(({ key }) => key === name)) continue;
      context.options.lint.tell('unsetVariable', { name, known: () => stage.env.keys(), ranges });
    }
  };
  try {
    const { text, unmatched } = expand(word, stage.env, lex);
    if (unmatched.size > 0) tellUnset(unmatched);
    return text;
  } catch (error) {
    if (error instanceof ExpandError) tellUnset(error.unmatched);
    throw error;
  }
}

/** Where an instruction stands, for error excerpts. */
export const locations = (
  { options }: StepContext,
  { ranges }: Pick<Instruction, 'ranges'>,
): readonly SourceLocation[] => (options.sourceMap ? [{ map: options.sourceMap, ranges }] : []);
