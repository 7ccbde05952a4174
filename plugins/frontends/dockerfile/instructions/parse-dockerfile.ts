import { BuildError } from '../../../../core/contracts/errors.js';
import { Linter } from '../lint/linter.js';
import { lineRanges, locate, locating, syntaxError } from '../located.js';
import type { Node } from '../parse/node.js';
import { parse } from '../parse/parse.js';
import { parseFrom } from './from.js';
import { parseInstruction } from './parse-instruction.js';
import type { Dockerfile, Instruction, InstructionOf, Stage } from './types.js';

type OpenStage = Omit<Stage, 'instructions'> & { readonly instructions: Instruction[] };

/** Dockerfile text to stages of instructions. */
export function parseDockerfile(text: string, lint = Linter.silent): Dockerfile {
  if (text === '') throw locate(syntaxError('the Dockerfile cannot be empty'), lineRanges(1, 1));
  const { nodes, escapeToken, emptyContinuations } = parse(text);
  for (const line of emptyContinuations) lint.tell('emptyContinuation', { ranges: lineRanges(line, line) });
  const globalArgs: InstructionOf<'arg'>[] = [];
  const stages: OpenStage[] = [];
  for (const node of nodes) {
    lint.tell('node', node);
    const { comments, ranges } = node;
    if (node.keyword.toLowerCase() === 'from') {
      const from = reading(node, parseFrom);
      stages.push({ ...from, instructions: [] });
      const names = from.name === '' ? [] : [from.name];
      lint.tell('definition', { keyword: 'FROM', names, comments, ranges });
      continue;
    }
    const instruction = reading(node, parseInstruction);
    if (instruction.kind === 'arg') {
      const names = instruction.args.map(({ key }) => key);
      lint.tell('definition', { keyword: 'ARG', names, comments, ranges });
    }
    const stage = stages.at(-1);
    if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else {
      locating(node.ranges, () => {
        throw syntaxError(
          'no build stage in current context',
          'a Dockerfile begins with FROM; only ARG may stand above it',
        );
      });
    }
  }
  if (stages.length === 0) {
    throw locate(syntaxError('dockerfile contains no stages to build'), nodes.at(-1)?.ranges ?? []);
  }
  const dockerfile = { globalArgs, stages, escapeToken };
  lint.tell('dockerfile', dockerfile);
  return dockerfile;
}

function reading<T>(node: Node, read: (node: Node) => T): T {
  try {
    return read(node);
  } catch (error) {
    const line = node.ranges[0]?.start.line ?? 0;
    const problem =
      error instanceof BuildError ? error.wrap(`dockerfile parse error on line ${line}`) : error;
    throw locate(problem, node.ranges);
  }
}
