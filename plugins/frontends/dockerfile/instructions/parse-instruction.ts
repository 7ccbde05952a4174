/** Nodes to typed instructions. BuildKit: frontend/dockerfile/instructions/parse.go. */
import { syntaxError, WordError } from '../located.js';
import { keywords, type Node } from '../parse/node.js';
import { parseAdd, parseCopy } from './copy.js';
import { parseFlags, suggestion } from './flags.js';
import { parseHealthcheck } from './healthcheck.js';
import { parseArg, parseEnv, parseLabel } from './key-values.js';
import { parseRun } from './run.js';
import type { CommandLine, Instruction, InstructionOf } from './types.js';

type Parsers = {
  readonly [Kind in Instruction['kind']]: (
    node: Node,
  ) => Omit<InstructionOf<Kind>, 'kind' | 'code' | 'keyword' | 'ranges'>;
};

const parsers: Parsers = {
  add: parseAdd,
  arg: parseArg,
  cmd: (node) => ({ command: commandLine(node) }),
  copy: parseCopy,
  entrypoint: (node) => ({ command: commandLine(node) }),
  env: parseEnv,
  expose: (node) => ({ ports: [...some(node, 'EXPOSE')].sort() }),
  healthcheck: parseHealthcheck,
  label: parseLabel,
  maintainer: (node) => ({ maintainer: one(node, 'MAINTAINER') }),
  onbuild: (node) => ({ trigger: trigger(node) }),
  run: parseRun,
  shell: (node) => ({ shell: shell(node) }),
  stopsignal: (node) => ({ signal: one(node, 'STOPSIGNAL') }),
  user: (node) => ({ user: one(node, 'USER') }),
  volume: (node) => ({ volumes: volumes(node) }),
  workdir: (node) => ({ path: one(node, 'WORKDIR') }),
};

export function parseInstruction(node: Node): Instruction {
  const kind = node.keyword.toLowerCase();
  if (!isKind(kind)) {
    throw new WordError(
      `unknown instruction: ${node.keyword}${suggestion(node.keyword, keywords)}`,
      node.keyword,
    );
  }
  const { keyword, original, ranges } = node;
  return Object.assign(parsers[kind](node), { kind, code: original.trim(), keyword, ranges }) as Instruction;
}

const isKind = (kind: string): kind is Instruction['kind'] => Object.hasOwn(parsers, kind);

function commandLine(node: Node): CommandLine {
  parseFlags(node.flags, {});
  return { args: node.args, shell: !node.json };
}

function some(node: Node, keyword: string): readonly string[] {
  if (node.args.length === 0) throw syntaxError(`${keyword} requires at least one argument`);
  parseFlags(node.flags, {});
  return node.args;
}

function one(node: Node, keyword: string): string {
  const [only, ...others] = node.args;
  if (only === undefined || others.length > 0) throw syntaxError(`${keyword} requires exactly one argument`);
  parseFlags(node.flags, {});
  return only;
}

function volumes(node: Node): string[] {
  const given = some(node, 'VOLUME').map((volume) => volume.trim());
  if (given.includes('')) throw syntaxError('VOLUME specified can not be an empty string');
  return given;
}

function shell(node: Node): readonly string[] {
  const given = some(node, 'SHELL');
  if (!node.json) throw syntaxError('SHELL requires the arguments to be in JSON form');
  return given;
}

function trigger(node: Node): string {
  const [keyword = ''] = some(node, 'ONBUILD');
  const upper = keyword.trim().toUpperCase();
  if (upper === 'ONBUILD') throw syntaxError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (upper === 'MAINTAINER' || upper === 'FROM') {
    throw syntaxError(`${upper} isn't allowed as an ONBUILD trigger`);
  }
  const heredocs = node.heredocs.map(({ content, name }) => `\n${content}${name}`);
  return node.original.replace(/^\s*ONBUILD\s*/i, '') + heredocs.join('');
}
