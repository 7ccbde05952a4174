/** Runs a template over a value. Fields are found by their Go names: `.BuildkitVersion.Version`, `.ID`. */
import { compareBytes } from '../../../core/util/compare.js';
import { didYouMean } from '../../../core/util/nearest.js';
import { templateError } from './errors.js';
import { callFunction, isTrue, lazyFunctions } from './functions.js';
import type { Command, Node, Operand, Pipeline } from './parse.js';
import { shown } from './print.js';

export const execute = (nodes: readonly Node[], value: unknown): string =>
  run(nodes, value, new Scope(new Map([['$', value]]), undefined));

/** Variables of a block, over those around it. */
class Scope {
  readonly #own: Map<string, unknown>;
  readonly #outer: Scope | undefined;

  constructor(own: Map<string, unknown>, outer: Scope | undefined) {
    this.#own = own;
    this.#outer = outer;
  }

  inner(): Scope {
    return new Scope(new Map(), this);
  }

  get(name: string): unknown {
    const scope = this.#holder(name);
    return scope.#own.get(name);
  }

  declare(name: string, value: unknown): void {
    this.#own.set(name, value);
  }

  assign(name: string, value: unknown): void {
    this.#holder(name).#own.set(name, value);
  }

  #holder(name: string): Scope {
    if (this.#own.has(name)) return this;
    if (this.#outer) return this.#outer.#holder(name);
    throw templateError(`undefined variable ${name}`);
  }
}

function run(nodes: readonly Node[], dot: unknown, scope: Scope): string {
  return nodes.map((node) => runNode(node, dot, scope)).join('');
}

function runNode(node: Node, dot: unknown, scope: Scope): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'print': {
      const value = evaluate(node.pipeline, dot, scope);
      return node.pipeline.variables.length > 0 ? '' : shown(value);
    }
    case 'range':
      return runRange(node, dot, scope);
    default: {
      const inner = scope.inner();
      const value = evaluate(node.pipeline, dot, inner);
      if (isTrue(value)) return run(node.body, node.kind === 'with' ? value : dot, inner);
      return run(node.otherwise, dot, inner);
    }
  }
}

function runRange(
  node: Extract<Node, { pipeline: Pipeline; body: unknown }>,
  dot: unknown,
  scope: Scope,
): string {
  const { variables } = node.pipeline;
  const entries = entriesOf(evaluate({ ...node.pipeline, variables: [] }, dot, scope));
  if (entries.length === 0) return run(node.otherwise, dot, scope);
  const turns = entries.map(([key, value]) => {
    const inner = scope.inner();
    // One variable gets the value, two the key and the value.
    const values = variables.length > 1 ? [key, value] : [value];
    for (const [index, name] of variables.entries()) inner.declare(name, values[index]);
    return run(node.body, value, inner);
  });
  return turns.join('');
}

function entriesOf(value: unknown): [key: unknown, value: unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  if (value === null || value === undefined) return [];
  if (typeof value === 'object') return Object.entries(value).sort(([a], [b]) => compareBytes(a, b));
  throw templateError(`range cannot go over ${shown(value)}`);
}

function evaluate({ variables, declares, commands }: Pipeline, dot: unknown, scope: Scope): unknown {
  let value: unknown;
  for (const [index, command] of commands.entries()) {
    value = runCommand(command, index === 0 ? [] : [value], dot, scope);
  }
  for (const name of variables) {
    if (declares) scope.declare(name, value);
    else scope.assign(name, value);
  }
  return value;
}

/** `piped` is what the command before answered: the last argument. */
function runCommand(
  [first, ...rest]: Command,
  piped: readonly unknown[],
  dot: unknown,
  scope: Scope,
): unknown {
  if (first.kind !== 'name') {
    if (rest.length > 0 || piped.length > 0) throw templateError(`${first.kind} cannot be called`);
    return operand(first, dot, scope);
  }
  const name = lazyFunctions.find((lazy) => lazy === first.name);
  if (!name) return callFunction(first.name, [...rest.map((arg) => operand(arg, dot, scope)), ...piped]);
  let value: unknown;
  for (const arg of [
    ...rest.map((given) => () => operand(given, dot, scope)),
    ...piped.map((given) => () => given),
  ]) {
    value = arg();
    if (isTrue(value) === (name === 'or')) break;
  }
  return value;
}

function operand(word: Operand, dot: unknown, scope: Scope): unknown {
  switch (word.kind) {
    case 'literal':
      return word.value;
    case 'name':
      return callFunction(word.name, []);
    case 'field':
      return word.path.reduce(fieldOf, dot);
    case 'variable':
      return word.path.reduce(fieldOf, scope.get(word.name));
    case 'pipeline':
      return word.path.reduce(fieldOf, evaluate(word.pipeline, dot, scope));
  }
  return word satisfies never;
}

/** Go's names differ from JSON's in case, and in what stands between words: `os.version`, `media_type`. */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw templateError(`no field ${name} in ${Array.isArray(value) ? 'a list' : shown(value)}`);
  }
  const plain = (key: string): string => key.replace(/[._]/g, '').toLowerCase();
  const key = Object.keys(value).find((candidate) => plain(candidate) === name.toLowerCase());
  if (key !== undefined && /^[A-Z]/.test(name)) return Reflect.get(value, key);
  const fields = Object.keys(value).map((field) => field[0]!.toUpperCase() + field.slice(1));
  throw templateError(`no field ${name}${didYouMean(name, fields)}`);
}
