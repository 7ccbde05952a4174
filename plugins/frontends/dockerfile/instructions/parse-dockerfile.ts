import { BuildError } from '../../../../core/contracts/errors.js';
import { locating, syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { parse } from '../parse/parse.js';
import { parseFrom } from './from.js';
import { parseInstruction } from './parse-instruction.js';
import type { Dockerfile, Instruction, InstructionOf, Stage } from './types.js';

type OpenStage = Omit<Stage, 'instructions'> & { readonly instructions: Instruction[] };

/** Dockerfile text to stages of instructions. */
export function parseDockerfile(text: string): Dockerfile {
  if (text === '') throw syntaxError('the Dockerfile cannot be empty');
  const { nodes, escapeToken } = parse(text);
  const globalArgs: InstructionOf<'arg'>[] = [];
  const stages: OpenStage[] = [];
  for (const node of nodes) {
    if (node.keyword.toLowerCase() === 'from') {
      stages.push({ ...reading(node, () => parseFrom(node)), instructions: [] });
      continue;
    }
    const instruction = reading(node, () => parseInstruction(node));
    const stage = stages.at(-1);
    if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else {
      locating(node.ranges, () => {
        throw syntaxError('no build stage in current context');
      });
    }
  }
  if (stages.length === 0) throw syntaxError('dockerfile contains no stages to build');
  return { globalArgs, stages, escapeToken };
}

function reading<T>(node: Node, work: () => T): T {
  return locating(node.ranges, () => {
    try {
      return work();
    } catch (error) {
      const line = node.ranges[0]?.start.line ?? 0;
      throw error instanceof BuildError ? error.wrap(`dockerfile parse error on line ${line}`) : error;
    }
  });
}
