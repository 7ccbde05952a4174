import type { InstructionOf, KeyValue } from '../instructions/types.js';
import type { StageBuild } from './stage-build.js';
import { fill, type StepContext } from './step.js';

/** The pairs of an ENV or LABEL; all of them see the variables as they were before. */
export function fillPairs(
  stage: StageBuild,
  pairs: readonly KeyValue[],
  instruction: InstructionOf<'env' | 'label'>,
  context: StepContext,
): readonly (readonly [key: string, value: string])[] {
  const word = (text: string): string => fill(stage, context, instruction, text);
  const filled = pairs.map(({ key, value, spaced }) => ({ key: word(key), value: word(value), spaced }));
  for (const { key, spaced } of filled) context.options.lint.tell('keyValue', { instruction, key, spaced });
  return filled.map(({ key, value }) => [key, value]);
}
